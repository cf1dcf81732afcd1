package fuselage.demo.core;

import java.nio.ByteBuffer;
import java.util.List;

/** Whether this device computes what the exporting machine computed: the recorded windows run again. */
public final class SelfCheck {
    public final int windows;
    /** How many of them got the same class. */
    public final int sameClass;
    /** The largest difference of a quantized output, in its steps; 0 where there is none. */
    public final int int8Steps;
    /** The largest difference of an output that is float all through, as a share of its value; 0 where none is. */
    public final double floatDifference;
    private final boolean within;

    private SelfCheck(int windows, int sameClass, int int8Steps, double floatDifference, boolean within) {
        this.windows = windows;
        this.sameClass = sameClass;
        this.int8Steps = int8Steps;
        this.floatDifference = floatDifference;
        this.within = within;
    }

    /** Runs every recording. */
    public static SelfCheck of(WindowClassifier classifier, ModelCard card, GoldenVectors golden) {
        int same = 0;
        double logits = 0;
        double attention = 0;
        for (GoldenVectors.Recording recording : golden.recordings) {
            Answer answer = classifier.classify(recording.window);
            if (card.classNames.get(answer.decision.best).equals(recording.answer)) {
                same++;
            }
            ByteBuffer[] held = classifier.held();
            logits = Math.max(logits, difference(card.logits, held[1], recording.logits));
            attention = Math.max(attention, difference(card.attention, held[2], recording.attention));
        }
        double inSteps = Math.max(quantized(card.logits) ? logits : 0, quantized(card.attention) ? attention : 0);
        double inFloat = Math.max(quantized(card.logits) ? 0 : logits, quantized(card.attention) ? 0 : attention);
        return new SelfCheck(golden.recordings.size(), same, (int) inSteps, inFloat,
                logits <= golden.logitsLimit && attention <= golden.attentionLimit);
    }

    /** Every class the same, every output within the limit that golden.json gives it. */
    public boolean passed() {
        return sameClass == windows && within;
    }

    private static boolean quantized(TensorFormat format) {
        return format.step > 0;
    }

    /** The largest one: in steps of a quantized output, else as a share of the value, of 1 where it is smaller. */
    private static double difference(TensorFormat format, ByteBuffer held, float[] expected) {
        held.rewind();
        double largest = 0;
        for (float value : expected) {
            double difference = Math.abs((format.int8 ? held.get() : held.getFloat()) - (double) value);
            if (!format.int8) {
                difference = quantized(format) ? Math.rint(difference / format.step)
                        : difference / Math.max(1, Math.abs(value));
            }
            // NaN passes every comparison: it counts as the largest difference there is.
            largest = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(largest, difference);
        }
        return largest;
    }
}
