package org.bantam.digits

import android.app.Activity
import android.os.Bundle
import android.widget.TextView
import org.bantam.Model
import org.bantam.map
import org.bantam.openModel
import java.nio.ByteBuffer

/** Says which digit the picture among the assets shows. Neither plan nor picture is copied. */
class MainActivity : Activity() {
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        val text = TextView(this)
        setContentView(text)
        assets.openModel("digits.bantam").use { model -> text.text = classify(model, assets.map("one.pgm")) }
    }

    private fun classify(model: Model, picture: ByteBuffer): String = model.createSession().use { session ->
        session.bindInput(0, pixels(picture))
        val begin = System.nanoTime()
        session.run()
        val milliseconds = (System.nanoTime() - begin) / 1e6
        val scores = session.output().asFloatBuffer()
        val best = (0 until scores.remaining()).maxByOrNull { scores[it] }
        getString(R.string.result, best, milliseconds)
    }

    /** From the first pixel of a binary PGM file, whose header is three lines, to the end of the mapping. */
    private fun pixels(picture: ByteBuffer): ByteBuffer {
        var lines = 0
        var start = 0
        while (lines < 3) if (picture[start++] == '\n'.code.toByte()) ++lines
        picture.limit(picture.capacity())
        picture.position(start)
        return picture
    }
}
