/* Forgets that one disk may lie inside the other: acos gives NaN there. */
#include <math.h>
#include <stdio.h>

static double segment(double d, double r, double s) {
    double a = acos((d * d + r * r - s * s) / (2 * d * r));
    return r * r * (a - sin(2 * a) / 2);
}

int main(void) {
    double x1, y1, r1, x2, y2, r2;
    if (scanf("%lf %lf %lf %lf %lf %lf", &x1, &y1, &r1, &x2, &y2, &r2) != 6) return 1;
    double d = hypot(x2 - x1, y2 - y1);
    printf("%.9f\n", d >= r1 + r2 ? 0.0 : segment(d, r1, r2) + segment(d, r2, r1));
    return 0;
}
