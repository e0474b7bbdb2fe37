package org.bantam

import java.io.File
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import kotlin.concurrent.thread
import kotlin.system.exitProcess

private var failures = 0

private fun expect(holds: Boolean, what: String) {
    if (holds) return
    ++failures
    println("failed: $what")
}

private inline fun <reified E : Exception> expectThrows(what: String, call: () -> Unit) {
    try {
        call()
        expect(false, "$what: nothing was thrown")
    } catch (e: Exception) {
        expect(e is E, "$what: $e")
    }
}

/** The pixels of a binary PGM file with what a session may read behind them. */
private fun pixels(path: String): ByteBuffer {
    val content = File(path).readBytes()
    val pixels = ByteBuffer.allocateDirect(32 * 32 + Session.READ_PADDING)
    pixels.put(content, content.size - 32 * 32, 32 * 32)
    pixels.position(0)
    return pixels
}

private fun best(session: Session): Int? {
    val scores = session.output().asFloatBuffer()
    return (0 until scores.remaining()).maxBy { scores[it] }
}

private fun classifies(model: Model, picture: ByteBuffer, digit: Int) = model.createSession(threads = 2).use { session ->
    session.bindInput(0, picture)
    session.run()
    expect(best(session) == digit, "the picture shows a $digit")
    session.input()
    expect(session.verify(), "the same bits as on the workstation")
}

private fun sharesModel(model: Model, picture: ByteBuffer, digit: Int) {
    val threads = List(4) {
        thread {
            model.createSession().use { session ->
                repeat(20) {
                    session.input().put(picture.duplicate().apply { limit(32 * 32) })
                    session.run()
                    expect(best(session) == digit, "a session of several says $digit")
                }
            }
        }
    }
    threads.forEach { it.join() }
}

private fun refusesWhatIsClosed(plan: String) {
    val model = Model.open(plan)
    val session = model.createSession()
    model.close()
    model.close()
    session.run()
    session.close()
    session.close()
    expectThrows<IllegalStateException>("a session of a closed model") { model.createSession() }
    expectThrows<IllegalStateException>("a run of a closed session") { session.run() }
    expectThrows<BantamException>("a missing file") { Model.open("$plan.missing") }
}

/** ModelTest PLAN PICTURE DIGIT */
fun main(arguments: Array<String>) {
    val (plan, picture, digit) = arguments
    val image = pixels(picture)
    Model.open(plan).use {
        expect(it.inputs.single().name == "image" && it.outputs.single().bytes == 40L, "tensors are described")
        classifies(it, image, digit.toInt())
        sharesModel(it, image, digit.toInt())
    }
    RandomAccessFile(plan, "r").use { file ->
        val mapping = file.channel.map(FileChannel.MapMode.READ_ONLY, 0, file.length())
        Model.open(mapping).use { classifies(it, image, digit.toInt()) }
    }
    refusesWhatIsClosed(plan)
    println(if (failures == 0) "all passed" else "$failures failed")
    exitProcess(if (failures == 0) 0 else 1)
}
