import java.util.Scanner;

public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int[] v = new int[6];
        for (int i = 0; i < 6; i++) v[i] = in.nextInt();
        double d = Math.hypot(v[3] - v[0], v[4] - v[1]);
        double r = v[2], s = v[5], area;
        if (d >= r + s) area = 0;
        else if (d <= Math.abs(r - s)) area = Math.PI * Math.min(r, s) * Math.min(r, s);
        else area = segment(d, r, s) + segment(d, s, r);
        System.out.println(area);
    }

    static double segment(double d, double r, double s) {
        double a = Math.acos((d * d + r * r - s * s) / (2 * d * r));
        return r * r * (a - Math.sin(2 * a) / 2);
    }
}
