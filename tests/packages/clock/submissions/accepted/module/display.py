"""What the clock shows."""


def parse(text):
    hour, minute = map(int, text.split(":"))
    return hour * 60 + minute


def mirrored(minute):
    text = f"{minute // 60 % 24:02}:{minute % 60:02}"
    return text == text[::-1]
