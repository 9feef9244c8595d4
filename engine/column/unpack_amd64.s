#include "textflag.h"

// func unpackVectors(dst *int64, p *byte, groups int, t *vectorTable, base uint64)
//
// A group is eight numbers, four in each of two vectors: the bytes that hold
// two neighbours are loaded by one load of 16, moved to where each has its eight
// bytes, shifted and masked.
TEXT ·unpackVectors(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ groups+16(FP), CX
	MOVQ t+24(FP), BX
	VPBROADCASTQ base+32(FP), Y13
	VMOVDQU 0(BX), Y8
	VMOVDQU 32(BX), Y9
	VMOVDQU 64(BX), Y10
	VMOVDQU 96(BX), Y11
	VPBROADCASTQ 128(BX), Y12
	MOVQ 136(BX), R9
	MOVQ 144(BX), R10
	MOVQ 152(BX), R11
	MOVQ 160(BX), R12

group:
	VMOVDQU (SI), X0
	VMOVDQU (SI)(R10*1), X1
	VINSERTI128 $1, (SI)(R9*1), Y0, Y0
	VINSERTI128 $1, (SI)(R11*1), Y1, Y1
	VPSHUFB Y8, Y0, Y0
	VPSHUFB Y9, Y1, Y1
	VPSRLVQ Y10, Y0, Y0
	VPSRLVQ Y11, Y1, Y1
	VPAND Y12, Y0, Y0
	VPAND Y12, Y1, Y1
	VPADDQ Y13, Y0, Y0
	VPADDQ Y13, Y1, Y1
	VMOVDQU Y0, (DI)
	VMOVDQU Y1, 32(DI)
	ADDQ R12, SI
	ADDQ $64, DI
	DECQ CX
	JNZ group
	VZEROUPPER
	RET

// func unpackWide(dst *int64, p *byte, groups int, t *wideTable, base uint64)
//
// A group is eight numbers: one load has the bytes of all, of which one
// permutation gives each its eight. Bytes behind the last number are not
// loaded: the mask leaves them out.
TEXT ·unpackWide(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ groups+16(FP), CX
	MOVQ t+24(FP), BX
	VPBROADCASTQ base+32(FP), Z11
	VMOVDQU64 0(BX), Z8
	VMOVDQU64 64(BX), Z9
	VPBROADCASTQ 128(BX), Z10
	KMOVQ 136(BX), K1
	MOVQ 144(BX), R12

group:
	VMOVDQU8.Z (SI), K1, Z0
	VPERMB Z0, Z8, Z0
	VPSRLVQ Z9, Z0, Z0
	VPANDQ Z10, Z0, Z0
	VPADDQ Z11, Z0, Z0
	VMOVDQU64 Z0, (DI)
	ADDQ R12, SI
	ADDQ $64, DI
	DECQ CX
	JNZ group
	VZEROUPPER
	RET

// func prefetchLines(p *byte, n int)
TEXT ·prefetchLines(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), AX
	MOVQ n+8(FP), CX

line:
	PREFETCHT0 (AX)
	ADDQ $64, AX
	DECQ CX
	JNZ line
	RET

// func prefetchEach(p *uintptr, n int)
TEXT ·prefetchEach(SB), NOSPLIT, $0-16
	MOVQ p+0(FP), SI
	MOVQ n+8(FP), CX

line:
	MOVQ (SI), AX
	PREFETCHT0 (AX)
	ADDQ $8, SI
	DECQ CX
	JNZ line
	RET
