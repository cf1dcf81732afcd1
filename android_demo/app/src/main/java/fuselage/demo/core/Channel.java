package fuselage.demo.core;

import org.json.JSONException;
import org.json.JSONObject;

/** One channel of the model's window, and where a phone measures it. */
public final class Channel {
    /** The channel's name in the data. */
    public final String name;
    /** Its unit; empty where the data names none, and then the phone's unit is assumed. */
    public final String unit;
    public final SensorKind sensor;
    /** 0, 1, 2 for x, y, z. */
    public final int axis;
    /** Value in the channel's unit = factor * value in the phone's unit. */
    public final float factor;

    public Channel(String name, String unit, SensorKind sensor, int axis, float factor) {
        this.name = name;
        this.unit = unit;
        this.sensor = sensor;
        this.axis = axis;
        this.factor = factor;
    }

    static Channel of(JSONObject json) throws JSONException, UnusableModelException {
        int axis = json.getInt("axis");
        double factor = json.getDouble("factor");
        if (axis < 0 || axis > 2 || !(factor > 0) || Double.isInfinite(factor)) {
            throw new UnusableModelException("A channel has axis " + axis + " and factor " + factor + ".");
        }
        return new Channel(json.getString("name"), json.getString("unit"),
                SensorKind.named(json.getString("sensor")), axis, (float) factor);
    }
}
