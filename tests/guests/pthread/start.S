# Where a spawned thread begins and ends; what C cannot say.
#
# At entry the new instance has a stack pointer and a TLS base that belong to the main thread, so both are set
# before any C function runs. At the end the thread's stack is given up: from the store of kGone (0) on, a joiner
# may free it, so store and notify happen here, where no stack is used.

	.globaltype	__stack_pointer, i32
	.functype	__wasm_init_tls (i32) -> ()
	.functype	thread_main (i32, i32) -> (i32)

	.section	.text.wasi_thread_start,"",@
	.hidden	wasi_thread_start
	.globl	wasi_thread_start
	.type	wasi_thread_start,@function
	.export_name	wasi_thread_start, wasi_thread_start
wasi_thread_start:
	.functype	wasi_thread_start (i32, i32) -> ()
	local.get	1
	i32.load	0               # stack_top
	global.set	__stack_pointer
	local.get	1
	i32.load	4               # tls_base
	call	__wasm_init_tls

	local.get	0
	local.get	1
	call	thread_main     # gives the address of the thread's state
	local.tee	0
	i32.const	0               # kGone
	i32.atomic.store	0
	local.get	0
	i32.const	-1              # everybody
	memory.atomic.notify	0
	drop
	end_function
