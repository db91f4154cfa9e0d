/* SPDX-License-Identifier: MIT */
/*
 * Instructions of every class that accesses memory or branches, one a line: counts.t compares the
 * costs of each line with Valgrind's.  A branch on the condition codes follows those that could
 * otherwise be dropped as unused; it goes one byte further so that it is none to the next instruction.
 */
.bss
.balign 4096
buf: .skip 8192
.data
.balign 64
stack_top_save: .quad 0
idx4: .long 0,4,8,12,16,20,24,28
mask8: .long -1,0,-1,0,-1,0,-1,0
far: .quad target1
fptr: .quad func
five: .quad 5
one: .quad 1
zero: .quad 0
.text
.globl _start
_start:
 lea buf(%rip), %rbx
 lea 4096(%rbx), %rsi
 lea buf(%rip), %rdi
 mov five(%rip), %ecx
 mov $3, %eax
 mov (%rbx), %rdx
 jo 99f; nop; 99:
 mov %rdx, (%rbx)
 jo 99f; nop; 99:
 add %rdx, (%rbx)
 jo 99f; nop; 99:
 add (%rbx), %rdx
 jo 99f; nop; 99:
 addl $1, 60(%rbx)
 jo 99f; nop; 99:
 incl 62(%rbx)
 jo 99f; nop; 99:
 lock xadd %eax, (%rbx)
 jo 99f; nop; 99:
 xadd %eax, (%rbx)
 jo 99f; nop; 99:
 lock incl (%rbx)
 jo 99f; nop; 99:
 lock addl $1, (%rbx)
 jo 99f; nop; 99:
 lock addq $1, 60(%rbx)
 jo 99f; nop; 99:
 lock notl (%rbx)
 jo 99f; nop; 99:
 lock negl (%rbx)
 jo 99f; nop; 99:
 lock orl $1, (%rbx)
 jo 99f; nop; 99:
 lock btsl $1, (%rbx)
 jo 99f; nop; 99:
 btsl $1, (%rbx)
 jo 99f; nop; 99:
 btsl %ecx, (%rbx)
 jo 99f; nop; 99:
 btl $1, (%rbx)
 jo 99f; nop; 99:
 btl %ecx, (%rbx)
 jo 99f; nop; 99:
 btq %rcx, (%rbx)
 jo 99f; nop; 99:
 lock btsl %ecx, (%rbx)
 jo 99f; nop; 99:
 lock cmpxchg %edx, (%rbx)
 jo 99f; nop; 99:
 cmpxchg %edx, (%rbx)
 jo 99f; nop; 99:
 cmpxchg %edx, (%rbx)
 jo 99f; nop; 99:
 mov $77, %eax
 cmpxchg %edx, (%rbx)
 jo 99f; nop; 99:
 lock cmpxchg %edx, (%rbx)
 jo 99f; nop; 99:
 lock cmpxchg8b (%rbx)
 jo 99f; nop; 99:
 cmpxchg8b (%rbx)
 jo 99f; nop; 99:
 lock cmpxchg16b (%rbx)
 jo 99f; nop; 99:
 cmpxchg16b (%rbx)
 jo 99f; nop; 99:
 lea buf(%rip), %rbx
 mov five(%rip), %ecx
 xchg %eax, (%rbx)
 jo 99f; nop; 99:
 xchg %rax, (%rbx)
 jo 99f; nop; 99:
 xchg %al, (%rbx)
 jo 99f; nop; 99:
 cmovz (%rbx), %eax
 jo 99f; nop; 99:
 cmovnz (%rbx), %eax
 jo 99f; nop; 99:
 cmovc (%rbx), %rax
 jo 99f; nop; 99:
 setz (%rbx)
 jo 99f; nop; 99:
 shll $1, (%rbx)
 jo 99f; nop; 99:
 shll %cl, (%rbx)
 jo 99f; nop; 99:
 shldl $3, %eax, (%rbx)
 jo 99f; nop; 99:
 shld %cl, %eax, (%rbx)
 jo 99f; nop; 99:
 rcll $1, (%rbx)
 jo 99f; nop; 99:
 rclq %cl, (%rbx)
 jo 99f; nop; 99:
 rorl $3, (%rbx)
 jo 99f; nop; 99:
 negl (%rbx)
 jo 99f; nop; 99:
 notl (%rbx)
 jo 99f; nop; 99:
 testl $1, (%rbx)
 jo 99f; nop; 99:
 cmpl $1, (%rbx)
 jo 99f; nop; 99:
 cmp %eax, (%rbx)
 jo 99f; nop; 99:
 cmp (%rbx), %eax
 jo 99f; nop; 99:
 adcl $1, (%rbx)
 jo 99f; nop; 99:
 sbb %eax, (%rbx)
 jo 99f; nop; 99:
 mull (%rbx)
 jo 99f; nop; 99:
 imull (%rbx), %eax
 jo 99f; nop; 99:
 imull $3, (%rbx), %eax
 jo 99f; nop; 99:
 movl $7, (%rbx)
 jo 99f; nop; 99:
 xor %edx, %edx
 jo 99f; nop; 99:
 divl (%rbx)
 jo 99f; nop; 99:
 xor %edx, %edx
 jo 99f; nop; 99:
 idivl (%rbx)
 jo 99f; nop; 99:
 bsf (%rbx), %eax
 jo 99f; nop; 99:
 bsr (%rbx), %eax
 jo 99f; nop; 99:
 popcnt (%rbx), %eax
 jo 99f; nop; 99:
 lzcnt (%rbx), %eax
 jo 99f; nop; 99:
 tzcnt (%rbx), %eax
 jo 99f; nop; 99:
 bswap %eax
 jo 99f; nop; 99:
 movbe (%rbx), %eax
 jo 99f; nop; 99:
 movbe %eax, (%rbx)
 jo 99f; nop; 99:
 movzbl (%rbx), %eax
 jo 99f; nop; 99:
 movslq (%rbx), %rax
 jo 99f; nop; 99:
 pushq (%rbx)
 jo 99f; nop; 99:
 popq (%rbx)
 jo 99f; nop; 99:
 push %rax
 jo 99f; nop; 99:
 push $5
 jo 99f; nop; 99:
 pushw $5
 jo 99f; nop; 99:
 popw %ax
 jo 99f; nop; 99:
 pop %rax
 jo 99f; nop; 99:
 pop %rax
 jo 99f; nop; 99:
 pushfq
 jo 99f; nop; 99:
 popfq
 jo 99f; nop; 99:
 call func
 call *fptr(%rip)
 mov fptr(%rip), %rax
 call *%rax
 jmp *far(%rip)
 nop
target1:
 enter $16, $0
 jo 99f; nop; 99:
 leave
 lea buf(%rip), %rbx
 lea 4096(%rbx), %rsi
 lea buf(%rip), %rdi
 movsb
 jo 99f; nop; 99:
 movsl
 jo 99f; nop; 99:
 movsq
 jo 99f; nop; 99:
 stosb
 jo 99f; nop; 99:
 stosq
 jo 99f; nop; 99:
 lodsb
 jo 99f; nop; 99:
 lodsq
 jo 99f; nop; 99:
 scasb
 jo 99f; nop; 99:
 scasq
 jo 99f; nop; 99:
 lea 4096(%rbx), %rsi
 lea buf(%rip), %rdi
 mov five(%rip), %ecx
 rep movsb
 jo 99f; nop; 99:
 mov five(%rip), %ecx
 rep movsq
 jo 99f; nop; 99:
 mov zero(%rip), %ecx
 rep movsq
 jo 99f; nop; 99:
 mov one(%rip), %ecx
 rep movsq
 jo 99f; nop; 99:
 mov five(%rip), %ecx
 rep stosb
 jo 99f; nop; 99:
 mov five(%rip), %ecx
 rep stosq
 jo 99f; nop; 99:
 mov five(%rip), %ecx
 lea 4096(%rbx), %rsi
 lea buf(%rip), %rdi
 movl $0, 4096(%rbx)
 jo 99f; nop; 99:
 movl $0, (%rbx)
 jo 99f; nop; 99:
 movb $1, 2(%rbx)
 jo 99f; nop; 99:
 repe cmpsb
 jo 99f; nop; 99:
 mov five(%rip), %ecx
 lea 4096+128(%rbx), %rsi
 lea buf+128(%rip), %rdi
 repe cmpsb
 jo 99f; nop; 99:
 mov zero(%rip), %ecx
 repe cmpsb
 jo 99f; nop; 99:
 mov five(%rip), %ecx
 mov $0, %eax
 repe scasb
 jo 99f; nop; 99:
 mov five(%rip), %ecx
 lea buf+128(%rip), %rdi
 mov $1, %eax
 repne scasb
 jo 99f; nop; 99:
 mov zero(%rip), %ecx
 repne scasb
 jo 99f; nop; 99:
 mov one(%rip), %ecx
 repne scasb
 jo 99f; nop; 99:
 mov five(%rip), %ecx
2: dec %ecx
 jnz 2b
 jz 3f
3: jecxz 4f
4: mov five(%rip), %ecx
5: loope 5b
6: loopne 6b
 xor %ecx, %ecx
 jo 99f; nop; 99:
 jrcxz 7f
 nop
7: jmp 8f
8: lea buf(%rip), %rbx
 movdqu (%rbx), %xmm0
 jo 99f; nop; 99:
 movdqu %xmm0, (%rbx)
 jo 99f; nop; 99:
 movdqa %xmm0, (%rbx)
 jo 99f; nop; 99:
 movups 60(%rbx), %xmm0
 jo 99f; nop; 99:
 movntdq %xmm0, (%rbx)
 jo 99f; nop; 99:
 movss (%rbx), %xmm1
 jo 99f; nop; 99:
 movss %xmm1, (%rbx)
 jo 99f; nop; 99:
 movsd (%rbx), %xmm1
 jo 99f; nop; 99:
 movsd %xmm1, (%rbx)
 jo 99f; nop; 99:
 movhps (%rbx), %xmm1
 jo 99f; nop; 99:
 movhps %xmm1, (%rbx)
 jo 99f; nop; 99:
 movlps (%rbx), %xmm1
 jo 99f; nop; 99:
 movlps %xmm1, (%rbx)
 jo 99f; nop; 99:
 movd (%rbx), %xmm1
 jo 99f; nop; 99:
 movq (%rbx), %xmm1
 jo 99f; nop; 99:
 movq %xmm1, (%rbx)
 jo 99f; nop; 99:
 paddd (%rbx), %xmm1
 jo 99f; nop; 99:
 addps (%rbx), %xmm1
 jo 99f; nop; 99:
 addss (%rbx), %xmm1
 jo 99f; nop; 99:
 pinsrd $1, (%rbx), %xmm1
 jo 99f; nop; 99:
 pinsrb $1, (%rbx), %xmm1
 jo 99f; nop; 99:
 pextrd $1, %xmm1, (%rbx)
 jo 99f; nop; 99:
 pextrb $1, %xmm1, (%rbx)
 jo 99f; nop; 99:
 extractps $1, %xmm1, (%rbx)
 jo 99f; nop; 99:
 insertps $0x10, (%rbx), %xmm1
 jo 99f; nop; 99:
 cvtsi2sdl (%rbx), %xmm1
 jo 99f; nop; 99:
 cvtsi2sdq (%rbx), %xmm1
 jo 99f; nop; 99:
 cvtps2pd (%rbx), %xmm1
 jo 99f; nop; 99:
 cvttsd2si (%rbx), %eax
 jo 99f; nop; 99:
 ucomisd (%rbx), %xmm1
 jo 99f; nop; 99:
 ptest (%rbx), %xmm1
 jo 99f; nop; 99:
 pcmpistri $0, (%rbx), %xmm1
 jo 99f; nop; 99:
 pcmpestrm $0, (%rbx), %xmm1
 jo 99f; nop; 99:
 pshufb (%rbx), %xmm1
 jo 99f; nop; 99:
 pmovzxbw (%rbx), %xmm1
 jo 99f; nop; 99:
 pmovzxbq (%rbx), %xmm1
 jo 99f; nop; 99:
 movmskps %xmm1, %eax
 jo 99f; nop; 99:
 ldmxcsr fill(%rip)
 jo 99f; nop; 99:
 stmxcsr (%rbx)
 jo 99f; nop; 99:
 aesenc (%rbx), %xmm1
 jo 99f; nop; 99:
 pclmulqdq $0, (%rbx), %xmm1
 jo 99f; nop; 99:
 crc32l (%rbx), %eax
 jo 99f; nop; 99:
 lddqu (%rbx), %xmm1
 jo 99f; nop; 99:
 movntdqa (%rbx), %xmm1
 jo 99f; nop; 99:
 movnti %eax, (%rbx)
 jo 99f; nop; 99:
 lea buf(%rip), %rdi
 maskmovdqu %xmm0, %xmm1
 jo 99f; nop; 99:
 pcmpeqb %xmm0, %xmm0
 jo 99f; nop; 99:
 maskmovdqu %xmm0, %xmm0
 jo 99f; nop; 99:
 vmovdqu (%rbx), %ymm0
 jo 99f; nop; 99:
 vmovdqu %ymm0, (%rbx)
 jo 99f; nop; 99:
 vmovdqu %ymm0, 48(%rbx)
 jo 99f; nop; 99:
 vmovups 48(%rbx), %ymm0
 jo 99f; nop; 99:
 vpaddd (%rbx), %ymm0, %ymm1
 jo 99f; nop; 99:
 vbroadcastss (%rbx), %ymm1
 jo 99f; nop; 99:
 vbroadcastsd (%rbx), %ymm1
 jo 99f; nop; 99:
 vpbroadcastb (%rbx), %ymm1
 jo 99f; nop; 99:
 vpbroadcastw (%rbx), %ymm1
 jo 99f; nop; 99:
 vbroadcastf128 (%rbx), %ymm1
 jo 99f; nop; 99:
 vinsertf128 $1, (%rbx), %ymm1, %ymm1
 jo 99f; nop; 99:
 vextractf128 $1, %ymm1, (%rbx)
 jo 99f; nop; 99:
 vmovdqu mask8(%rip), %ymm3
 jo 99f; nop; 99:
 vpmaskmovd (%rbx), %ymm3, %ymm1
 jo 99f; nop; 99:
 vpmaskmovd %ymm1, %ymm3, (%rbx)
 jo 99f; nop; 99:
 vpmaskmovd (%rbx), %xmm3, %xmm1
 jo 99f; nop; 99:
 vpmaskmovd %xmm1, %xmm3, (%rbx)
 jo 99f; nop; 99:
 vpmaskmovq (%rbx), %ymm3, %ymm1
 jo 99f; nop; 99:
 vpmaskmovq %ymm1, %ymm3, (%rbx)
 jo 99f; nop; 99:
 vpxor %ymm4, %ymm4, %ymm4
 jo 99f; nop; 99:
 vpmaskmovd (%rbx), %ymm4, %ymm1
 jo 99f; nop; 99:
 vpmaskmovd %ymm1, %ymm4, (%rbx)
 jo 99f; nop; 99:
 vmaskmovps (%rbx), %ymm3, %ymm1
 jo 99f; nop; 99:
 vmaskmovps %ymm1, %ymm3, (%rbx)
 jo 99f; nop; 99:
 vmaskmovpd (%rbx), %ymm3, %ymm1
 jo 99f; nop; 99:
 vmaskmovpd %ymm1, %ymm3, (%rbx)
 jo 99f; nop; 99:
 vmovdqu idx4(%rip), %ymm5
 jo 99f; nop; 99:
 vpcmpeqd %ymm3, %ymm3, %ymm3
 jo 99f; nop; 99:
 vpgatherdd %ymm3, (%rbx,%ymm5), %ymm1
 jo 99f; nop; 99:
 vpcmpeqd %ymm3, %ymm3, %ymm3
 jo 99f; nop; 99:
 vpgatherdd %ymm3, (%rbx,%ymm5), %ymm1
 jo 99f; nop; 99:
 vpxor %ymm3, %ymm3, %ymm3
 jo 99f; nop; 99:
 vpcmpeqd %xmm3, %xmm3, %xmm3
 jo 99f; nop; 99:
 vpgatherdd %xmm3, (%rbx,%xmm5), %xmm1
 jo 99f; nop; 99:
 vpcmpeqd %ymm3, %ymm3, %ymm3
 jo 99f; nop; 99:
 vpgatherdq %ymm3, (%rbx,%xmm5), %ymm1
 jo 99f; nop; 99:
 vpcmpeqd %ymm3, %ymm3, %ymm3
 jo 99f; nop; 99:
 vpmovsxdq %xmm5, %ymm5
 jo 99f; nop; 99:
 vpcmpeqd %ymm3, %ymm3, %ymm3
 jo 99f; nop; 99:
 vpgatherqq %ymm3, (%rbx,%ymm5), %ymm1
 jo 99f; nop; 99:
 vpcmpeqd %ymm3, %ymm3, %ymm3
 jo 99f; nop; 99:
 vpgatherqd %xmm3, (%rbx,%ymm5), %xmm1
 jo 99f; nop; 99:
 vpcmpeqd %ymm3, %ymm3, %ymm3
 jo 99f; nop; 99:
 vgatherqpd %ymm3, (%rbx,%ymm5), %ymm1
 jo 99f; nop; 99:
 vpcmpeqd %ymm3, %ymm3, %ymm3
 jo 99f; nop; 99:
 vgatherqps %xmm3, (%rbx,%ymm5), %xmm1
 jo 99f; nop; 99:
 vfmadd213sd (%rbx), %xmm1, %xmm2
 jo 99f; nop; 99:
 vfmadd213pd (%rbx), %ymm1, %ymm2
 jo 99f; nop; 99:
 vmovddup (%rbx), %ymm1
 jo 99f; nop; 99:
 movddup (%rbx), %xmm1
 jo 99f; nop; 99:
 vzeroupper
 jo 99f; nop; 99:
 vcvtps2ph $0, %ymm1, (%rbx)
 jo 99f; nop; 99:
 vcvtph2ps (%rbx), %ymm1
 jo 99f; nop; 99:
 vpmovzxbd (%rbx), %ymm1
 jo 99f; nop; 99:
 vpermd (%rbx), %ymm1, %ymm2
 jo 99f; nop; 99:
 bextr %eax, (%rbx), %ecx
 jo 99f; nop; 99:
 andn (%rbx), %eax, %ecx
 jo 99f; nop; 99:
 blsr (%rbx), %ecx
 jo 99f; nop; 99:
 mulx (%rbx), %eax, %ecx
 jo 99f; nop; 99:
 pdep (%rbx), %rax, %rcx
 jo 99f; nop; 99:
 rorx $3, (%rbx), %ecx
 jo 99f; nop; 99:
 sarx %eax, (%rbx), %ecx
 jo 99f; nop; 99:
 adcx (%rbx), %ecx
 jo 99f; nop; 99:
 flds (%rbx)
 jo 99f; nop; 99:
 fldl (%rbx)
 jo 99f; nop; 99:
 fldt (%rbx)
 jo 99f; nop; 99:
 fstps (%rbx)
 jo 99f; nop; 99:
 fstpl (%rbx)
 jo 99f; nop; 99:
 fstpt (%rbx)
 jo 99f; nop; 99:
 fildl (%rbx)
 jo 99f; nop; 99:
 fildll (%rbx)
 jo 99f; nop; 99:
 filds (%rbx)
 jo 99f; nop; 99:
 fistps (%rbx)
 jo 99f; nop; 99:
 fistpl (%rbx)
 jo 99f; nop; 99:
 fistpll (%rbx)
 jo 99f; nop; 99:
 fldz
 jo 99f; nop; 99:
 fisttpl (%rbx)
 jo 99f; nop; 99:
 fldz
 jo 99f; nop; 99:
 fadds (%rbx)
 jo 99f; nop; 99:
 faddl (%rbx)
 jo 99f; nop; 99:
 fiaddl (%rbx)
 jo 99f; nop; 99:
 fiadds (%rbx)
 jo 99f; nop; 99:
 fcoml (%rbx)
 jo 99f; nop; 99:
 fcomps (%rbx)
 jo 99f; nop; 99:
 fnstcw (%rbx)
 jo 99f; nop; 99:
 fldcw (%rbx)
 jo 99f; nop; 99:
 fnstsw (%rbx)
 jo 99f; nop; 99:
 fnstsw %ax
 jo 99f; nop; 99:
 fnstenv (%rbx)
 jo 99f; nop; 99:
 fldenv (%rbx)
 jo 99f; nop; 99:
 fnsave (%rbx)
 jo 99f; nop; 99:
 frstor (%rbx)
 jo 99f; nop; 99:
 fxsave (%rbx)
 jo 99f; nop; 99:
 fxrstor (%rbx)
 jo 99f; nop; 99:
 fxsave64 (%rbx)
 jo 99f; nop; 99:
 fxrstor64 (%rbx)
 jo 99f; nop; 99:
 movq (%rbx), %mm0
 jo 99f; nop; 99:
 movq %mm0, (%rbx)
 jo 99f; nop; 99:
 paddb (%rbx), %mm0
 jo 99f; nop; 99:
 movntq %mm0, (%rbx)
 jo 99f; nop; 99:
 lea buf(%rip), %rdi
 maskmovq %mm0, %mm0
 jo 99f; nop; 99:
 emms
 jo 99f; nop; 99:
 prefetcht0 (%rbx)
 jo 99f; nop; 99:
 prefetchw (%rbx)
 jo 99f; nop; 99:
 clflush (%rbx)
 jo 99f; nop; 99:
 lfence
 jo 99f; nop; 99:
 mfence
 jo 99f; nop; 99:
 sfence
 jo 99f; nop; 99:
 pause
 jo 99f; nop; 99:
 cpuid
 jo 99f; nop; 99:
 rdtsc
 jo 99f; nop; 99:
 rdtscp
 jo 99f; nop; 99:
 lea buf(%rip), %rbx
 jo 99f; nop; 99:
 nop
 xor %eax, %eax
 jo 99f; nop; 99:
 nopl (%rbx)
 endbr64
 jo 99f; nop; 99:
 nop
 lahf
 jo 99f; nop; 99:
 sahf
 jo 99f; nop; 99:
 cld
 std
 cld
 mov $7, %eax
 cqto
 jo 99f; nop; 99:
 movb $0, %al
 jo 99f; nop; 99:
 div %rbx
 jo 99f; nop; 99:
 lea buf(%rip), %rbx
 mov (%rbx), %eax
 mov five(%rip), %ecx
 bt %ecx, %eax
 jc 99f; nop; 99:
 bts %ecx, %eax
 jc 99f; nop; 99:
 btr %ecx, %eax
 jc 99f; nop; 99:
 btc %rcx, %rax
 jc 99f; nop; 99:
 bt $3, %eax
 jc 99f; nop; 99:
 bts $3, %eax
 jc 99f; nop; 99:
 bt %rcx, %rax
 jc 99f; nop; 99:
 bt %cx, %ax
 jc 99f; nop; 99:
 bsf %ecx, %eax
 jc 99f; nop; 99:
 bsr %ecx, %eax
 jc 99f; nop; 99:
 rep bsf %ecx, %eax
 jc 99f; nop; 99:
 rep bsf (%rbx), %eax
 jc 99f; nop; 99:
 jc 99f; nop; 99:
 jc 99f; nop; 99:
 xor %edi, %edi
 jo 99f; nop; 99:
 mov $60, %eax
 syscall
func:
 ret
fill: .long 0x1f80
