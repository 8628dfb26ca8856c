# Switches to the 32-bit code segment and makes the call from there.
# expect: killed policy i386:getpid or signalled 11
.globl main
main:
    mov $0x23, %eax
    push %rax
    lea narrow(%rip), %rax
    push %rax
    lretq
narrow:
    mov $20, %eax
    int $0x80
    hlt
.section .note.GNU-stack, "", @progbits
