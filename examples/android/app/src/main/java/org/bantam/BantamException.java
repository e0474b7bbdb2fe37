package org.bantam;

/** What a function of the library says when it fails. */
public final class BantamException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** A bantam_status of bantam.h. */
    public final int status;

    BantamException(int status, String message) {
        super(message);
        this.status = status;
    }
}
