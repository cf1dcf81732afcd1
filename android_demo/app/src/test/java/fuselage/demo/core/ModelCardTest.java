package fuselage.demo.core;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import fuselage.demo.TestAssets;
import java.util.EnumSet;
import org.json.JSONArray;
import org.json.JSONObject;
import org.junit.Test;

public final class ModelCardTest {
    private static JSONObject json() throws Exception {
        return new JSONObject(TestAssets.text("model.json"));
    }

    private static void refused(JSONObject json, String why) {
        Exception refusal = assertThrows(UnusableModelException.class, () -> ModelCard.parse(json.toString()));
        assertTrue(refusal.getMessage(), refusal.getMessage().contains(why));
    }

    @Test
    public void readsTheCardOfTheAssets() throws Exception {
        ModelCard card = TestAssets.card();
        assertEquals(EnumSet.of(SensorKind.LINEAR_ACCELERATION, SensorKind.GYROSCOPE), card.sensors());
        assertEquals(card.steps, card.seconds() * card.rateHz, 1e-9);
        assertEquals(card.channels.size() * card.steps, card.input.size());
    }

    @Test
    public void refusesWhatIsNoCard() throws Exception {
        assertThrows(UnusableModelException.class, () -> ModelCard.parse("no JSON"));
        refused(json().put("format", "another"), "it is not");
        refused(json().put("version", 2), "version");
        JSONObject without = json();
        without.remove("mean");
        refused(without, "mean");
    }

    @Test
    public void refusesWhatDoesNotFitTogether() throws Exception {
        refused(json().put("steps", 7), "its input is not");
        refused(json().put("class_names", new JSONArray("[\"one\"]")), "its logits are not");
        refused(json().put("mean", new JSONArray("[1]")), "a number a channel");
        refused(json().put("std", new JSONArray("[1, 1, 0, 1, 1, 1]")), "std of channel 2");
        refused(json().put("sample_rate_hz", 0), "sample rate");
        JSONObject attention = json().getJSONObject("attention").put("shape", new JSONArray("[1, 2, 100]"));
        refused(json().put("attention", attention), "its attention is not");
    }

    @Test
    public void refusesSensorsAndTypesItDoesNotKnow() throws Exception {
        JSONObject sensor = json();
        sensor.getJSONArray("channels").getJSONObject(0).put("sensor", "barometer");
        refused(sensor, "barometer");
        JSONObject axis = json();
        axis.getJSONArray("channels").getJSONObject(0).put("axis", 3);
        refused(axis, "axis 3");
        JSONObject type = json();
        type.getJSONObject("input").put("type", "int16");
        refused(type, "int16");
        JSONObject scale = json();
        scale.getJSONObject("input").put("scale", 0);
        refused(scale, "scale");
    }

    @Test
    public void goldenVectorsOfAnotherModelAreRefused() throws Exception {
        ModelCard card = ModelCard.parse(json().put("sha256", "0").toString());
        String golden = TestAssets.text("golden.json");
        Exception refusal = assertThrows(UnusableModelException.class, () -> GoldenVectors.parse(golden, card));
        assertTrue(refusal.getMessage(), refusal.getMessage().contains("another model"));
    }

    @Test
    public void goldenVectorsThatDoNotFitAreRefused() throws Exception {
        JSONObject golden = new JSONObject(TestAssets.text("golden.json"));
        golden.getJSONArray("windows").getJSONObject(1).getJSONArray("attention").put(0);
        assertThrows(UnusableModelException.class, () -> GoldenVectors.parse(golden.toString(), TestAssets.card()));
        golden.put("windows", new JSONArray());
        assertThrows(UnusableModelException.class, () -> GoldenVectors.parse(golden.toString(), TestAssets.card()));
        assertThrows(UnusableModelException.class, () -> GoldenVectors.parse("[", TestAssets.card()));
    }
}
