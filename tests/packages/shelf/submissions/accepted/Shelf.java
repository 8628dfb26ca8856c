// The class is not called Main: submissions.yaml names the entry point.
import java.util.Scanner;

public class Shelf {
    public static void main(String[] args) {
        int n = new Scanner(System.in).nextInt();
        if (n == 2 || n == 3) {
            System.out.println("impossible");
            return;
        }
        StringBuilder shelf = new StringBuilder();
        for (int v = n - 1 + n % 2; v > 0; v -= 2) shelf.append(v).append('\n');
        for (int v = n - n % 2; v > 0; v -= 2) shelf.append(v).append('\n');
        System.out.print(shelf);
    }
}
