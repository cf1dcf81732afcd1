package fuselage.demo.core;

/** What the logits of one window say. */
public final class Decision {
    /** Below this probability the app says that it is not sure: less than an even chance. */
    public static final float SURE = 0.5f;

    /** Of each class: exp(z - max z) / sum. */
    public final float[] probabilities;
    /** The most probable class; of equal ones the first. */
    public final int best;

    private Decision(float[] probabilities, int best) {
        this.probabilities = probabilities;
        this.best = best;
    }

    /** Decides. Computed in double precision, as pipeline/runtime.py does. */
    public static Decision of(float[] logits) {
        int best = 0;
        for (int i = 0; i < logits.length; i++) {
            if (Float.isNaN(logits[i])) {
                throw new IllegalArgumentException("Logit " + i + " is not a number.");
            }
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        double sum = 0;
        double[] powers = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            powers[i] = Math.exp((double) logits[i] - logits[best]); // at most 1: no overflow
            sum += powers[i];
        }
        float[] probabilities = new float[logits.length];
        for (int i = 0; i < logits.length; i++) {
            probabilities[i] = (float) (powers[i] / sum);
        }
        return new Decision(probabilities, best);
    }

    /** The probability of the most probable class. */
    public float confidence() {
        return probabilities[best];
    }

    public boolean isSure() {
        return confidence() >= SURE;
    }
}
