// Presses D only, and counts how often before it writes anything.
import java.util.Scanner;

class Main {
    static volatile long shown;

    public static void main(String[] args) {
        shown = new Scanner(System.in).nextLong();
        long presses = 0;
        for (; shown > 1; shown--) presses++;
        System.out.println("D".repeat((int) presses));
    }
}
