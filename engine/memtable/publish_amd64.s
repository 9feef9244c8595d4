//go:build amd64 && !race

#include "textflag.h"

// Stores become visible to other processors in the order of the program on
// amd64, so that a plain one publishes; the compiler moves nothing across a call.

// func publish32(p *uint32, x uint32)
TEXT ·publish32(SB), NOSPLIT, $0-12
	MOVQ p+0(FP), AX
	MOVL x+8(FP), BX
	MOVL BX, (AX)
	RET

// func publish64(p *uint64, x uint64)
TEXT ·publish64(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), AX
	MOVQ x+8(FP), BX
	MOVQ BX, (AX)
	RET

// func prefetch(p unsafe.Pointer)
TEXT ·prefetch(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), AX
	PREFETCHT0 (AX)
	RET
