package org.bantam;

import java.nio.ByteBuffer;

/** The C API as bantam_jni.cc offers it; a handle is a pointer. Failures throw BantamException. */
final class Native {
    private Native() {}

    static {
        System.loadLibrary("bantam_jni");
    }

    static native String version();

    static native long modelFromFile(String path);

    static native long modelFromFd(int fd, long offset, long length);

    /** The plan stands from {@code from} to {@code to} in a direct buffer, which has to outlive the model. */
    static native long modelFromBuffer(ByteBuffer plan, int from, int to);

    static native void modelDestroy(long model);

    static native int modelInputCount(long model);

    static native int modelOutputCount(long model);

    static native TensorInfo modelInput(long model, int index);

    static native TensorInfo modelOutput(long model, int index);

    static native long sessionCreate(long model, int threads);

    static native void sessionDestroy(long session);

    /** A direct buffer over the memory that the next run reads from. */
    static native ByteBuffer sessionInput(long session, int index);

    static native ByteBuffer sessionOutput(long session, int index);

    /** Bytes from {@code from} to {@code to} of a direct buffer, which has to live until another is bound; null: none. */
    static native void sessionBindInput(long session, int index, ByteBuffer data, int from, int to);

    static native void sessionBindOutput(long session, int index, ByteBuffer data, int from, int to);

    static native void sessionRun(long session);

    static native void sessionCancel(long session);

    /** Whether this device computes what the workstation did, bit for bit. */
    static native boolean sessionVerify(long session);
}
