package fuselage.demo.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** Recorded windows, and what the model answered to them on the machine that exported it: golden.json. */
public final class GoldenVectors {
    private static final String FORMAT = "fuselage-android-golden";
    private static final int VERSION = 1;

    /** One recorded window. The tensors' values are as the tensors hold them, int8 or float32. */
    public static final class Recording {
        /** The activity that was recorded. */
        public final String label;
        /** The class the model gave. */
        public final String answer;
        /** [steps][channels], in the channels' units. */
        public final float[][] window;
        public final float[] input;
        public final float[] logits;
        public final float[] attention;

        Recording(JSONObject json, ModelCard card) throws JSONException, UnusableModelException {
            label = json.getString("label");
            answer = json.getString("answer");
            JSONArray rows = json.getJSONArray("window");
            window = new float[rows.length()][];
            boolean fits = rows.length() == card.steps;
            for (int step = 0; step < window.length; step++) {
                window[step] = ModelCard.floats(rows.getJSONArray(step));
                fits &= window[step].length == card.channels.size();
            }
            input = ModelCard.floats(json.getJSONArray("input"));
            logits = ModelCard.floats(json.getJSONArray("logits"));
            attention = ModelCard.floats(json.getJSONArray("attention"));
            fits &= input.length == card.input.size() && logits.length == card.logits.size()
                    && attention.length == card.attention.size();
            if (!fits) {
                throw new UnusableModelException("A window of golden.json does not fit the model.");
            }
        }
    }

    public final List<Recording> recordings;
    /** By how much an output may differ: in its quantization steps, of a float one as a share of the value. */
    public final double logitsLimit;
    public final double attentionLimit;

    private GoldenVectors(List<Recording> recordings, double logitsLimit, double attentionLimit) {
        this.recordings = recordings;
        this.logitsLimit = logitsLimit;
        this.attentionLimit = attentionLimit;
    }

    /** Reads the content of golden.json, which has to belong to the model of the card. */
    public static GoldenVectors parse(String text, ModelCard card) throws UnusableModelException {
        try {
            JSONObject json = new JSONObject(text);
            if (!FORMAT.equals(json.getString("format")) || json.getInt("version") != VERSION) {
                throw new UnusableModelException("golden.json is not '" + FORMAT + "' " + VERSION + ".");
            }
            if (!card.sha256.equals(json.getString("sha256"))) {
                throw new UnusableModelException("golden.json belongs to another model.");
            }
            List<Recording> read = new ArrayList<>();
            JSONArray windows = json.getJSONArray("windows");
            for (int i = 0; i < windows.length(); i++) {
                read.add(new Recording(windows.getJSONObject(i), card));
            }
            if (read.isEmpty()) {
                throw new UnusableModelException("golden.json has no window.");
            }
            JSONObject limits = json.getJSONObject("limits");
            return new GoldenVectors(Collections.unmodifiableList(read), limits.getDouble("logits"),
                    limits.getDouble("attention"));
        } catch (JSONException error) {
            throw new UnusableModelException("golden.json cannot be read: " + error.getMessage(), error);
        }
    }
}
