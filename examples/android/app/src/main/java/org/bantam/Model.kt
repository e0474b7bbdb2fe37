package org.bantam

import java.nio.ByteBuffer

/** A plan, ready to run. Immutable, so sessions on any number of threads share it. */
class Model private constructor(private var handle: Long, private val source: ByteBuffer?) : AutoCloseable {
    val inputs: List<TensorInfo> = List(Native.modelInputCount(handle)) { Native.modelInput(handle, it) }
    val outputs: List<TensorInfo> = List(Native.modelOutputCount(handle)) { Native.modelOutput(handle, it) }

    /** [threads] include the one that calls [Session.run]. The session may outlive the model. */
    fun createSession(threads: Int = 1): Session {
        check(handle != 0L) { "the model is closed" }
        return Session(Native.sessionCreate(handle, threads), inputs.size, source)
    }

    override fun close() {
        Native.modelDestroy(handle)
        handle = 0
    }

    companion object {
        val version: String get() = Native.version()

        fun open(path: String) = Model(Native.modelFromFile(path), null)

        /** [length] bytes from [offset] of an open file, which may be closed afterwards. Uses them in place. */
        fun open(fd: Int, offset: Long, length: Long) = Model(Native.modelFromFd(fd, offset, length), null)

        /** What remains in a direct buffer, used in place: it must not change while the model or a session lives. */
        fun open(plan: ByteBuffer) = Model(Native.modelFromBuffer(plan, plan.position(), plan.limit()), plan)
    }
}
