def cheapest(t, s, e):
    a = sum(t[min(s, e) : max(s, e)])
    return min(a, sum(t) - a)
