// The class is not public, so the file need not be called Main.java.
import java.math.BigInteger;
import java.util.Scanner;

class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        BigInteger a = in.nextBigInteger();
        System.out.println(a.add(in.nextBigInteger()));
    }
}
