// More complaints than anybody reads.
// expect: exited 1 or killed output or killed cpu or killed memory
// limits: memory=256 cpu=5
// policy: compiler
// run: exec g++ -fmax-errors=0 -c /tmp/error_flood.cpp -o /dev/null
#define A(x) x; x; x; x; x; x; x; x; x; x;
#define B(x) A(A(A(x)))
void f() { B(B(undeclared)) }
