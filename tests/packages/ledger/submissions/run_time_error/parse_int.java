// Throws an exception for what needs more than 32 bits, instead of wrapping around.
import java.util.Scanner;

class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        System.out.println(Math.addExact(Integer.parseInt(in.next()), Integer.parseInt(in.next())));
    }
}
