import java.io.IOException;
import java.io.StreamTokenizer;
import java.io.BufferedInputStream;
import java.io.InputStreamReader;

public class Main {
    public static void main(String[] args) throws IOException {
        StreamTokenizer in = new StreamTokenizer(new InputStreamReader(new BufferedInputStream(System.in)));
        in.nextToken();
        int n = (int) in.nval;
        Tally tally = new Tally(1_000_000);
        for (int i = 0; i < n; i++) {
            in.nextToken();
            tally.add((int) in.nval);
        }
        System.out.print(tally.descending());
    }
}
