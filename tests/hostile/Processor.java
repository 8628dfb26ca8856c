// An annotation processor: code of the contestant's that the compiler runs.
// expect: exited 0
// limits: memory=1024 processes=100 cpu=60 wall=120
// tool: /usr/bin/javac
// policy: compiler
// run: cd /tmp && javac -J-Xmx128m -proc:none Processor.java && javac -J-Xmx128m -processor Processor -processorpath /tmp -d /tmp/out Processor.java
import java.io.File;
import java.util.Set;
import javax.annotation.processing.*;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.TypeElement;
@SupportedAnnotationTypes("*")
public class Processor extends AbstractProcessor {
    @Override public SourceVersion getSupportedSourceVersion() { return SourceVersion.latest(); }
    @Override public boolean process(Set<? extends TypeElement> all, RoundEnvironment round) {
        for (String path : new String[] {"/etc/shadow", "/root", "/var/lib", "/sys", "/proc/1/environ"})
            if (new File(path).canRead()) throw new IllegalStateException(path);
        try { new File("/usr/lib/hostile").createNewFile(); throw new IllegalStateException("wrote"); }
        catch (java.io.IOException refused) { }
        return false;
    }
}
