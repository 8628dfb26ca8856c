#include "display.h"

bool Display::mirrored() const { return hour / 10 == minute % 10 && hour % 10 == minute / 10; }

void Display::tick() {
    if (++minute < 60) return;
    minute = 0;
    hour = (hour + 1) % 24;
}

std::istream& operator>>(std::istream& in, Display& display) {
    char colon;
    return in >> display.hour >> colon >> display.minute;
}
