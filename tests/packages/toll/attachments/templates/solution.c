long long cheapest(int n, const int* tolls, int start, int end) { return 0; }
