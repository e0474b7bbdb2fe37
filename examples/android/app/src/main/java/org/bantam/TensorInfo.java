package org.bantam;

/** An input or output of a model. Quantized when scale > 0: real = scale * (q - zeroPoint). */
public final class TensorInfo {
    public final String name;
    /** A bantam_dtype of bantam.h. */
    public final int dtype;
    public final int[] shape;
    public final float scale;
    public final int zeroPoint;
    public final long bytes;

    TensorInfo(String name, int dtype, int[] shape, float scale, int zeroPoint, long bytes) {
        this.name = name;
        this.dtype = dtype;
        this.shape = shape;
        this.scale = scale;
        this.zeroPoint = zeroPoint;
        this.bytes = bytes;
    }
}
