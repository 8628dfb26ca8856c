# Puts a file of the host into the program, by the assembler.
# expect: exited 1
# limits: memory=256
# policy: compiler
# run: exec gcc -c /tmp/embed_secret.S -o /tmp/secret
.incbin "/etc/shadow"
