import java.util.Scanner;

public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        char[] a = in.next().toCharArray(), b = in.next().toCharArray();
        int[] above = new int[b.length + 1], row = new int[b.length + 1];
        for (char bead : a) {
            for (int j = 1; j <= b.length; j++) {
                row[j] = bead == b[j - 1] ? above[j - 1] + 1 : Math.max(above[j], row[j - 1]);
            }
            int[] free = above;
            above = row;
            row = free;
        }
        System.out.println(above[b.length]);
    }
}
