package org.bantam;

import java.io.FileDescriptor;
import java.io.RandomAccessFile;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** The native methods on a desktop JVM, with plan and picture inside one file as in an Android package. */
final class NativeTest {
    private static final int READ_PADDING = 128;
    private static int failures;

    private static void check(boolean holds, String what) {
        if (holds) return;
        ++failures;
        System.out.println("failed: " + what);
    }

    private interface Call {
        void run();
    }

    private static void checkThrows(int status, Call call, String what) {
        try {
            call.run();
            check(false, what + ": nothing was thrown");
        } catch (BantamException e) {
            check(e.status == status, what + ": " + e.getMessage());
        }
    }

    /** A file with other bytes around the plan and the picture; offsets are multiples of 4 as zipalign makes them. */
    private static final class Package {
        final Path path;
        final byte[] plan;
        final byte[] picture;
        final long planOffset = 76;
        final long pictureOffset;

        Package(Path folder, Path plan, Path picture) throws Exception {
            this.plan = Files.readAllBytes(plan);
            this.picture = Files.readAllBytes(picture);
            pictureOffset = (planOffset + this.plan.length + 63) / 4 * 4;
            path = folder.resolve("package.bin");
            try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
                file.setLength(0);
                file.seek(planOffset);
                file.write(this.plan);
                file.seek(pictureOffset);
                file.write(this.picture);
                file.setLength(pictureOffset + this.picture.length + READ_PADDING);
            }
        }
    }

    private static int descriptorOf(RandomAccessFile file) throws Exception {
        Field field = FileDescriptor.class.getDeclaredField("fd");
        field.setAccessible(true);
        return field.getInt(file.getFD());
    }

    private static int best(ByteBuffer output) {
        FloatBuffer scores = output.order(ByteOrder.nativeOrder()).asFloatBuffer();
        int best = 0;
        for (int i = 1; i < scores.remaining(); ++i) {
            if (scores.get(i) > scores.get(best)) best = i;
        }
        return best;
    }

    private static void classifiesFromPackage(Package assets, int expected) throws Exception {
        long model;
        ByteBuffer pixels;
        try (RandomAccessFile file = new RandomAccessFile(assets.path.toFile(), "r")) {
            model = Native.modelFromFd(descriptorOf(file), assets.planOffset, assets.plan.length);
            int header = assets.picture.length - 32 * 32;
            pixels = file.getChannel().map(FileChannel.MapMode.READ_ONLY, assets.pictureOffset + header, 32 * 32 + READ_PADDING);
        }
        TensorInfo input = Native.modelInput(model, 0);
        check(Native.modelInputCount(model) == 1 && Native.modelOutputCount(model) == 1, "one input, one output");
        check(input.name.equals("image") && input.shape.length == 4 && input.bytes == 32 * 32, "the input is described");
        checkThrows(1, () -> Native.modelInput(model, 1), "input 1");
        long session = Native.sessionCreate(model, 1);
        Native.modelDestroy(model);
        Native.sessionBindInput(session, 0, pixels, 0, pixels.capacity());
        ByteBuffer scores = ByteBuffer.allocateDirect(40);
        Native.sessionBindOutput(session, 0, scores, 0, 40);
        Native.sessionRun(session);
        check(best(scores) == expected, "the bound output says " + best(scores));
        Native.sessionBindInput(session, 0, null, 0, 0);
        Native.sessionBindOutput(session, 0, null, 0, 0);
        Native.sessionInput(session, 0).put(pixels.slice().limit(32 * 32));
        Native.sessionRun(session);
        check(best(Native.sessionOutput(session, 0)) == expected, "the session's own buffers say the same");
        check(Native.sessionVerify(session), "this machine computes the same bits");
        refusesBadBuffers(session);
        Native.sessionDestroy(session);
    }

    private static void refusesBadBuffers(long session) {
        checkThrows(1, () -> Native.sessionBindInput(session, 0, ByteBuffer.allocate(4096), 0, 4096), "a buffer on the heap");
        checkThrows(1, () -> Native.sessionBindInput(session, 0, ByteBuffer.allocateDirect(1023), 0, 1023), "one byte too small");
        checkThrows(1, () -> Native.sessionBindInput(session, 0, ByteBuffer.allocateDirect(1024), 0, 1025), "a range outside");
        checkThrows(1, () -> Native.sessionInput(session, 7), "input 7");
    }

    private static void opensFromMemoryAndFile(Package assets, Path plan) {
        ByteBuffer memory = ByteBuffer.allocateDirect(assets.plan.length + 4);
        memory.position(4);
        memory.put(assets.plan);
        long model = Native.modelFromBuffer(memory, 4, memory.capacity());
        check(Native.modelOutput(model, 0).name.equals("logits"), "a plan in a buffer");
        Native.modelDestroy(model);
        Native.modelDestroy(Native.modelFromFile(plan.toString()));
        checkThrows(5, () -> Native.modelFromFile("missing.bantam"), "a missing file");
        checkThrows(2, () -> Native.modelFromBuffer(memory, 0, memory.capacity()), "a damaged plan");
        checkThrows(2, () -> Native.modelFromBuffer(memory, 4, 4 + assets.plan.length / 2), "half a plan");
        checkThrows(1, () -> Native.modelFromFile(null), "no path");
    }

    /** NativeTest PLAN PICTURE FOLDER DIGIT */
    public static void main(String[] arguments) throws Exception {
        Path plan = Path.of(arguments[0]);
        Package assets = new Package(Path.of(arguments[2]), plan, Path.of(arguments[1]));
        check(!Native.version().isEmpty(), "there is a version");
        classifiesFromPackage(assets, Integer.parseInt(arguments[3]));
        opensFromMemoryAndFile(assets, plan);
        System.out.println(failures == 0 ? "all passed" : failures + " failed");
        System.exit(failures == 0 ? 0 : 1);
    }
}
