package org.bantam

import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * One thread's state of a [Model]. Only [cancel] may be called while another thread is in [run]. Buffers that [input] and
 * [output] give are the session's own memory and must not be used after [close].
 */
class Session internal constructor(
    private var handle: Long,
    inputCount: Int,
    @Suppress("unused") private val source: ByteBuffer?
) : AutoCloseable {
    // Kept from the garbage collector while the library uses their memory.
    private val boundInputs = arrayOfNulls<ByteBuffer>(inputCount)
    private val boundOutputs = HashMap<Int, ByteBuffer>()

    /** What the next run reads: write it before every run. */
    fun input(index: Int = 0): ByteBuffer = Native.sessionInput(open(), index).order(ByteOrder.nativeOrder())

    /** What the last run wrote. */
    fun output(index: Int = 0): ByteBuffer = Native.sessionOutput(open(), index).order(ByteOrder.nativeOrder())

    /**
     * Reads an input from what remains in a direct buffer. It is read in place when at least [READ_PADDING] bytes stand
     * behind the tensor's, and copied otherwise. It is never written to.
     */
    fun bindInput(index: Int, data: ByteBuffer) {
        Native.sessionBindInput(open(), index, data, data.position(), data.limit())
        boundInputs[index] = data
    }

    fun bindOutput(index: Int, data: ByteBuffer) {
        Native.sessionBindOutput(open(), index, data, data.position(), data.limit())
        boundOutputs[index] = data
    }

    fun run() = Native.sessionRun(open())

    /** Stops the run in progress before its next op: [run] throws. */
    fun cancel() = Native.sessionCancel(open())

    /** Whether this device computes what the workstation did, bit for bit. Overwrites inputs and outputs. */
    fun verify(): Boolean = Native.sessionVerify(open())

    override fun close() {
        Native.sessionDestroy(handle)
        handle = 0
    }

    private fun open(): Long {
        check(handle != 0L) { "the session is closed" }
        return handle
    }

    companion object {
        const val READ_PADDING = 128
    }
}
