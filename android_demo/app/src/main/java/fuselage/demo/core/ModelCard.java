package fuselage.demo.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/** What model.json says about the model beside it; `pipeline export android` wrote both. */
public final class ModelCard {
    private static final String FORMAT = "fuselage-android-model";
    private static final int VERSION = 1;

    /** SHA-256 of the model file, in hexadecimal. */
    public final String sha256;
    /** The data set the model was trained on, and where that is from. */
    public final String name;
    public final String attribution;
    public final List<String> classNames;
    public final List<Channel> channels;
    /** Steps a second, and steps of a window. */
    public final double rateHz;
    public final int steps;
    /** Of each channel, in its unit: standardized = (x - mean) / std. */
    public final float[] mean;
    public final float[] std;
    public final TensorFormat input;
    public final TensorFormat logits;
    public final TensorFormat attention;

    private ModelCard(JSONObject json) throws JSONException, UnusableModelException {
        require(FORMAT.equals(json.getString("format")), "it is not '" + FORMAT + "'");
        require(json.getInt("version") == VERSION, "its version is not " + VERSION);
        sha256 = json.getString("sha256");
        name = json.getString("name");
        attribution = json.getString("attribution");
        classNames = texts(json.getJSONArray("class_names"));
        channels = channels(json.getJSONArray("channels"));
        rateHz = json.getDouble("sample_rate_hz");
        steps = json.getInt("steps");
        mean = floats(json.getJSONArray("mean"));
        std = floats(json.getJSONArray("std"));
        input = TensorFormat.of(json.getJSONObject("input"));
        logits = TensorFormat.of(json.getJSONObject("logits"));
        attention = TensorFormat.of(json.getJSONObject("attention"));
        check();
    }

    /** Reads the content of model.json. */
    public static ModelCard parse(String json) throws UnusableModelException {
        try {
            return new ModelCard(new JSONObject(json));
        } catch (JSONException error) {
            throw new UnusableModelException("model.json cannot be read: " + error.getMessage(), error);
        }
    }

    /** The sensors that have to be there. */
    public EnumSet<SensorKind> sensors() {
        EnumSet<SensorKind> kinds = EnumSet.noneOf(SensorKind.class);
        for (Channel channel : channels) {
            kinds.add(channel.sensor);
        }
        return kinds;
    }

    /** The seconds that a window covers. */
    public double seconds() {
        return steps / rateHz;
    }

    private void check() throws UnusableModelException {
        int features = channels.size();
        require(features > 0 && steps > 0, "it has no channels or no steps");
        require(!classNames.isEmpty(), "it has no classes");
        require(rateHz > 0 && rateHz < 1000, "its sample rate is " + rateHz + " Hz");
        require(mean.length == features && std.length == features, "mean and std need a number a channel");
        for (int i = 0; i < features; i++) {
            require(std[i] > 0 && std[i] < Float.MAX_VALUE, "the std of channel " + i + " is " + std[i]);
        }
        require(fits(input, steps, features), "its input is not [1, " + steps + ", " + features + "]");
        require(fits(logits, classNames.size()), "its logits are not [1, " + classNames.size() + "]");
        require(fits(attention, steps), "its attention is not [1, " + steps + "]");
        require(logits.index != attention.index, "logits and attention are one output");
    }

    private static boolean fits(TensorFormat format, int... sizes) {
        boolean same = format.shape.length == sizes.length + 1 && format.shape[0] == 1;
        for (int i = 0; same && i < sizes.length; i++) {
            same = format.shape[i + 1] == sizes[i];
        }
        return same;
    }

    private static void require(boolean holds, String what) throws UnusableModelException {
        if (!holds) {
            throw new UnusableModelException("model.json cannot be used: " + what + ".");
        }
    }

    private static List<Channel> channels(JSONArray json) throws JSONException, UnusableModelException {
        List<Channel> read = new ArrayList<>();
        for (int i = 0; i < json.length(); i++) {
            read.add(Channel.of(json.getJSONObject(i)));
        }
        return Collections.unmodifiableList(read);
    }

    private static List<String> texts(JSONArray json) throws JSONException {
        List<String> read = new ArrayList<>();
        for (int i = 0; i < json.length(); i++) {
            read.add(json.getString(i));
        }
        return Collections.unmodifiableList(read);
    }

    static float[] floats(JSONArray json) throws JSONException {
        float[] read = new float[json.length()];
        for (int i = 0; i < read.length; i++) {
            read[i] = (float) json.getDouble(i);
        }
        return read;
    }
}
