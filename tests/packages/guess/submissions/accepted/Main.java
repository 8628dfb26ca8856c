import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

public class Main {
    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        int low = 1, high = 1_000_000_000;
        while (true) {
            int guess = low + (high - low) / 2;
            System.out.println(guess);
            switch (in.readLine()) {
                case "correct":
                    return;
                case "higher":
                    low = guess + 1;
                    break;
                default:
                    high = guess - 1;
            }
        }
    }
}
