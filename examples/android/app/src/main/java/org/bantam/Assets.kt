package org.bantam

import android.content.res.AssetManager
import java.nio.MappedByteBuffer
import java.nio.channels.FileChannel

/** A plan that stands uncompressed in the package; its pages there are used where it begins at a multiple of 64 bytes. */
fun AssetManager.openModel(name: String): Model =
    openFd(name).use { Model.open(it.parcelFileDescriptor.fd, it.startOffset, it.declaredLength) }

/**
 * The pages of an uncompressed asset. Up to [Session.READ_PADDING] bytes of what follows in the package remain behind the
 * limit, so that a session can read the asset in place.
 */
fun AssetManager.map(name: String): MappedByteBuffer = openFd(name).use { asset ->
    val channel: FileChannel = asset.createInputStream().channel
    val padding = minOf(Session.READ_PADDING.toLong(), channel.size() - asset.startOffset - asset.declaredLength)
    channel.map(FileChannel.MapMode.READ_ONLY, asset.startOffset, asset.declaredLength + padding).apply {
        limit(asset.declaredLength.toInt())
    }
}
