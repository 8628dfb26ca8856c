#pragma once

#include <istream>

// What the clock shows.
class Display {
public:
    bool mirrored() const;
    void tick();

    friend std::istream& operator>>(std::istream& in, Display& display);

private:
    int hour = 0, minute = 0;
};
