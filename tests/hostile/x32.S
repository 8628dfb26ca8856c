# The same calls in the numbers of x32.
# expect: killed policy x32:socket
.globl main
main:
    mov $0x40000029, %eax
    mov $2, %edi
    mov $1, %esi
    xor %edx, %edx
    syscall
    xor %eax, %eax
    ret
.section .note.GNU-stack, "", @progbits
