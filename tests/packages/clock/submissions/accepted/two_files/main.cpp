#include "display.h"

#include <iostream>

int main() {
    Display display;
    std::cin >> display;
    int waited = 0;
    for (; !display.mirrored(); ++waited) display.tick();
    std::cout << waited << '\n';
}
