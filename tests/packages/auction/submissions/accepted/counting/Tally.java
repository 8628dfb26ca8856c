/** How often each bid was made. */
class Tally {
    private final int[] times;

    Tally(int highest) {
        times = new int[highest + 1];
    }

    void add(int bid) {
        times[bid]++;
    }

    CharSequence descending() {
        StringBuilder text = new StringBuilder();
        for (int bid = times.length - 1; bid > 0; bid--) {
            for (int i = 0; i < times[bid]; i++) text.append(bid).append('\n');
        }
        return text;
    }
}
