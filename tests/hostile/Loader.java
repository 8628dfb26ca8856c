// Looks for the host and leaves it a thread, from a virtual machine.
// expect: exited 0
// limits: memory=1024 processes=100 cpu=60 wall=120
// tool: /usr/bin/java
// run: exec /usr/bin/java -Xmx128m -XX:+UseSerialGC /tmp/Loader.java
// policy: compiler
import java.io.*;
import java.net.*;
public class Loader {
    public static void main(String[] arguments) throws Exception {
        for (String path : new String[] {"/etc/shadow", "/root", "/proc/1/environ", "/sys"})
            if (new File(path).canRead()) { System.out.println(path); System.exit(1); }
        try { new Socket("127.0.0.1", 5432); System.exit(2); } catch (IOException refused) { }
        new Thread(() -> { while (true) ; }).start();
        Runtime.getRuntime().halt(0);
    }
}
