package fuselage.demo.core;

/** The model in the assets cannot be used: damaged, not ours, or not what its description says. */
public final class UnusableModelException extends Exception {
    private static final long serialVersionUID = 1L;

    public UnusableModelException(String message) {
        super(message);
    }

    public UnusableModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
