"""The display and its buttons."""


class WrongButton(Exception):
    """A button that does not exist or does not work now."""


def press(number, buttons):
    """The number after all buttons were pressed."""
    for position, button in enumerate(buttons, start=1):
        if button == "H" and number % 2 == 0:
            number //= 2
        elif button == "U":
            number += 1
        elif button == "D":
            number -= 1
        else:
            raise WrongButton(f"press {position}: {button!r} does not work when {number} is shown")
    return number
