package fuselage.demo.core;

/** What the model says about one window. */
public final class Answer {
    public final Decision decision;
    /** Of each step of the window: how much it counted. They sum to 1 up to rounding. */
    public final float[] attention;
    /** How long the model alone took. */
    public final long nanoseconds;

    Answer(Decision decision, float[] attention, long nanoseconds) {
        this.decision = decision;
        this.attention = attention;
        this.nanoseconds = nanoseconds;
    }
}
