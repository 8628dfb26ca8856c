// Templates that need ever new ones.
// expect: exited 1 or killed memory or killed cpu
// limits: memory=256 cpu=2
// policy: compiler
// run: exec g++ -ftemplate-depth=1000000 -c /tmp/endless_templates.cpp -o /dev/null
template <int N> struct Tree { static const int value = Tree<N + 1>::value + Tree<N + 2>::value; };
int main() { return Tree<0>::value; }
