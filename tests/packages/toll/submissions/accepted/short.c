long long cheapest(int n, const int* t, int s, int e) {
    long long way = 0, all = 0;
    for (int i = 0; i < n; i++) all += t[i], way += i >= s != i >= e ? t[i] : 0;
    return way < all - way ? way : all - way;
}
