package fuselage.demo;

import fuselage.demo.core.Answer;
import fuselage.demo.core.ModelCard;
import fuselage.demo.core.SelfCheck;
import fuselage.demo.core.SensorKind;
import java.util.EnumSet;

/** What the engine tells the screen; made on the worker's thread, never changed after. */
final class Reading {
    /** What is wrong with the model, or null; then nothing else is set. */
    final String error;
    final ModelCard card;
    final SelfCheck check;
    final int modelBytes;
    /** Needed sensors that are not there, or that refused. */
    final EnumSet<SensorKind> missing;
    /** The activity of the recording that is shown, or null where the sensors are. */
    final String recorded;
    /** The last steps, oldest first; fewer than the model's while the window fills. */
    final float[][] window;
    /** The model's answer to this very window, or null while it fills. */
    final Answer answer;
    final double medianMs;
    final int medianOf;

    private Reading(String error, ModelCard card, SelfCheck check, int modelBytes, EnumSet<SensorKind> missing,
            String recorded, float[][] window, Answer answer, double medianMs, int medianOf) {
        this.error = error;
        this.card = card;
        this.check = check;
        this.modelBytes = modelBytes;
        this.missing = missing;
        this.recorded = recorded;
        this.window = window;
        this.answer = answer;
        this.medianMs = medianMs;
        this.medianOf = medianOf;
    }

    static Reading failed(String error) {
        return new Reading(error, null, null, 0, EnumSet.noneOf(SensorKind.class), null, new float[0][], null, 0, 0);
    }

    static Reading of(ModelCard card, SelfCheck check, int modelBytes, EnumSet<SensorKind> missing, String recorded,
            float[][] window, Answer answer, double medianMs, int medianOf) {
        return new Reading(null, card, check, modelBytes, missing, recorded, window, answer, medianMs, medianOf);
    }

    boolean isLive() {
        return error == null && recorded == null;
    }

    boolean canBeLive() {
        return error == null && missing.isEmpty();
    }
}
