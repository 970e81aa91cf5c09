namespace Curvature.Kernels;

/// <summary>The error function and its inverse. All polynomials minimise the largest error (Remez): the relative error
/// near zero, and the absolute error of erf elsewhere.</summary>
internal static class ErrorFunctions
{
    /// <summary>erf x = x·P(x²) where |x| &lt; 1, else 1 − e^(−x²)·Q(q) with q = (|x| − 2)/(|x| + 2), after
    /// Shepherd and Laframboise (1981).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Erf<V>(V x)
        where V : struct, ILanes<V>
    {
        var one = V.Create(1.0);
        var size = V.Clamp(V.Abs(x), V.Create(0.0), V.Create(V.IsSingle ? 4.0 : 6.0)); // beyond, erf rounds to 1
        var square = size * size;
        var q = (size - V.Create(2.0)) / (size + V.Create(2.0));
        var tail = Exponentials.ExpOfModerate(-square) * ScaledComplement(q);
        var result = V.Select(V.Greater(one, size), size * Series(square), one - tail);
        return result | (x & V.Create(-0.0));
    }

    /// <summary>erf⁻¹(x) = x·P(w), w = −ln(1 − x²), with polynomials in w near zero and in √w elsewhere, the form of
    /// Giles (2010).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ErfInverse<V>(V x)
        where V : struct, ILanes<V>
    {
        var one = V.Create(1.0);
        var size = V.Abs(x);
        var w = -Logarithms.LogOfNormal((one - size) * (one + size));
        var result = x * InverseNearZero(w);
        var far = V.GreaterOrEqual(w, V.Create(V.IsSingle ? 5.0 : 6.25));
        if (V.Any(far))
        {
            result = V.Select(far, x * InverseFarOut(V.Sqrt(w)), result);
        }

        var limit = V.Select(V.Equal(size, one), x * V.Create(double.PositiveInfinity), V.Create(double.NaN));
        return V.Select(V.Greater(one, size), result, limit);
    }

    /// <summary>erf(x)/x as a function of x², for |x| &lt; 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Series<V>(V square)
        where V : struct, ILanes<V>
    {
        if (V.IsSingle)
        {
            var p = V.Create(-0.0005631412745);
            p = V.MultiplyAdd(p, square, V.Create(0.004917557841));
            p = V.MultiplyAdd(p, square, V.Create(-0.02671132718));
            p = V.MultiplyAdd(p, square, V.Create(0.1128018119));
            p = V.MultiplyAdd(p, square, V.Create(-0.3761232642));
            p = V.MultiplyAdd(p, square, V.Create(1.128379123));
            return p;
        }
        else
        {
            var p = V.Create(5.945255584223488e-11);
            p = V.MultiplyAdd(p, square, V.Create(-1.136567067182716e-09));
            p = V.MultiplyAdd(p, square, V.Create(1.4657883530919653e-08));
            p = V.MultiplyAdd(p, square, V.Create(-1.635002619207727e-07));
            p = V.MultiplyAdd(p, square, V.Create(1.6460972954153765e-06));
            p = V.MultiplyAdd(p, square, V.Create(-1.4925593518728226e-05));
            p = V.MultiplyAdd(p, square, V.Create(0.00012055331037551108));
            p = V.MultiplyAdd(p, square, V.Create(-0.0008548326978765149));
            p = V.MultiplyAdd(p, square, V.Create(0.00522397762478137));
            p = V.MultiplyAdd(p, square, V.Create(-0.02686617064507296));
            p = V.MultiplyAdd(p, square, V.Create(0.11283791670954858));
            p = V.MultiplyAdd(p, square, V.Create(-0.3761263890318375));
            p = V.MultiplyAdd(p, square, V.Create(1.1283791670955126));
            return p;
        }
    }

    /// <summary>e^(x²)·erfc(x) as a function of (x − 2)/(x + 2), for x from 1 to where erf rounds to 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ScaledComplement<V>(V q)
        where V : struct, ILanes<V>
    {
        if (V.IsSingle)
        {
            var p = V.Create(0.007166604844);
            p = V.MultiplyAdd(p, q, V.Create(0.003692382516));
            p = V.MultiplyAdd(p, q, V.Create(-0.07899700684));
            p = V.MultiplyAdd(p, q, V.Create(0.241656357));
            p = V.MultiplyAdd(p, q, V.Create(-0.4271858449));
            p = V.MultiplyAdd(p, q, V.Create(0.2553956806));
            return p;
        }
        else
        {
            var p = V.Create(2.6040863201888487e-06);
            p = V.MultiplyAdd(p, q, V.Create(-1.1843559489445463e-05));
            p = V.MultiplyAdd(p, q, V.Create(-2.7839628536407148e-05));
            p = V.MultiplyAdd(p, q, V.Create(2.7035640839123074e-05));
            p = V.MultiplyAdd(p, q, V.Create(0.00017435801008437558));
            p = V.MultiplyAdd(p, q, V.Create(4.3608576105685895e-05));
            p = V.MultiplyAdd(p, q, V.Create(-0.0009819717582277476));
            p = V.MultiplyAdd(p, q, V.Create(-0.000847145608983374));
            p = V.MultiplyAdd(p, q, V.Create(0.0069974613312214495));
            p = V.MultiplyAdd(p, q, V.Create(0.0037328924241352996));
            p = V.MultiplyAdd(p, q, V.Create(-0.07897858100907511));
            p = V.MultiplyAdd(p, q, V.Create(0.24165819424264445));
            p = V.MultiplyAdd(p, q, V.Create(-0.4271858474139742));
            p = V.MultiplyAdd(p, q, V.Create(0.25539567631050536));
            return p;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V InverseNearZero<V>(V w)
        where V : struct, ILanes<V>
    {
        if (V.IsSingle)
        {
            var u = w - V.Create(2.5);
            var p = V.Create(-8.790860962e-09);
            p = V.MultiplyAdd(p, u, V.Create(2.323273484e-08));
            p = V.MultiplyAdd(p, u, V.Create(4.661679205e-07));
            p = V.MultiplyAdd(p, u, V.Create(-3.462705903e-06));
            p = V.MultiplyAdd(p, u, V.Create(-4.963334823e-06));
            p = V.MultiplyAdd(p, u, V.Create(0.0002183444438));
            p = V.MultiplyAdd(p, u, V.Create(-0.001252741903));
            p = V.MultiplyAdd(p, u, V.Create(-0.004177386785));
            p = V.MultiplyAdd(p, u, V.Create(0.2466402862));
            p = V.MultiplyAdd(p, u, V.Create(1.501409359));
            return p;
        }
        else
        {
            var u = w - V.Create(3.125);
            var p = V.Create(3.375585795767723e-21);
            p = V.MultiplyAdd(p, u, V.Create(-1.0093424266369024e-21));
            p = V.MultiplyAdd(p, u, V.Create(-3.5754040740582157e-19));
            p = V.MultiplyAdd(p, u, V.Create(1.144425292667643e-18));
            p = V.MultiplyAdd(p, u, V.Create(1.575953928904484e-17));
            p = V.MultiplyAdd(p, u, V.Create(-1.3003938312737272e-16));
            p = V.MultiplyAdd(p, u, V.Create(-4.2862127030857653e-17));
            p = V.MultiplyAdd(p, u, V.Create(6.5947040229012795e-15));
            p = V.MultiplyAdd(p, u, V.Create(-3.9989810677999535e-14));
            p = V.MultiplyAdd(p, u, V.Create(-8.11701191565165e-14));
            p = V.MultiplyAdd(p, u, V.Create(2.6303547700745005e-12));
            p = V.MultiplyAdd(p, u, V.Create(-1.2976958121328411e-11));
            p = V.MultiplyAdd(p, u, V.Create(-5.414239078187517e-11));
            p = V.MultiplyAdd(p, u, V.Create(1.0512183979176253e-09));
            p = V.MultiplyAdd(p, u, V.Create(-4.112661975550517e-09));
            p = V.MultiplyAdd(p, u, V.Create(-2.907038277401095e-08));
            p = V.MultiplyAdd(p, u, V.Create(4.2347881907373044e-07));
            p = V.MultiplyAdd(p, u, V.Create(-1.365469184435522e-06));
            p = V.MultiplyAdd(p, u, V.Create(-1.3882523395787711e-05));
            p = V.MultiplyAdd(p, u, V.Create(0.00018673420802425644));
            p = V.MultiplyAdd(p, u, V.Create(-0.0007407025341539566));
            p = V.MultiplyAdd(p, u, V.Create(-0.006033670871427754));
            p = V.MultiplyAdd(p, u, V.Create(0.24015818242558826));
            p = V.MultiplyAdd(p, u, V.Create(1.6536545626831027));
            return p;
        }
    }

    // Few arguments come here, so that a call costs little and the common path stays short.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static V InverseFarOut<V>(V root)
        where V : struct, ILanes<V>
    {
        if (V.IsSingle)
        {
            var u = root - V.Create(3.0);
            var p = V.Create(0.0001100986186);
            p = V.MultiplyAdd(p, u, V.Create(-0.0003043620717));
            p = V.MultiplyAdd(p, u, V.Create(-4.8674891e-05));
            p = V.MultiplyAdd(p, u, V.Create(0.001478649822));
            p = V.MultiplyAdd(p, u, V.Create(-0.003601640977));
            p = V.MultiplyAdd(p, u, V.Create(0.005689406429));
            p = V.MultiplyAdd(p, u, V.Create(-0.007636390904));
            p = V.MultiplyAdd(p, u, V.Create(0.009445007689));
            p = V.MultiplyAdd(p, u, V.Create(1.001674912));
            p = V.MultiplyAdd(p, u, V.Create(2.832976806));
            return p;
        }
        else
        {
            var u = root - V.Create(3.25);
            var p = V.Create(8.94631849250664e-08);
            p = V.MultiplyAdd(p, u, V.Create(-2.6999574529264896e-07));
            p = V.MultiplyAdd(p, u, V.Create(2.1213197511152967e-08));
            p = V.MultiplyAdd(p, u, V.Create(1.497754948281447e-06));
            p = V.MultiplyAdd(p, u, V.Create(-4.016670230379272e-06));
            p = V.MultiplyAdd(p, u, V.Create(2.9259926711105067e-06));
            p = V.MultiplyAdd(p, u, V.Create(1.2476698944652066e-05));
            p = V.MultiplyAdd(p, u, V.Create(-4.731897208943438e-05));
            p = V.MultiplyAdd(p, u, V.Create(6.82844587519385e-05));
            p = V.MultiplyAdd(p, u, V.Create(2.4031234049668773e-05));
            p = V.MultiplyAdd(p, u, V.Create(-0.00035503745809229993));
            p = V.MultiplyAdd(p, u, V.Create(0.0009532893686611168));
            p = V.MultiplyAdd(p, u, V.Create(-0.0016882755612120453));
            p = V.MultiplyAdd(p, u, V.Create(0.0024914420965716933));
            p = V.MultiplyAdd(p, u, V.Create(-0.0037512085073773418));
            p = V.MultiplyAdd(p, u, V.Create(0.005370914553583497));
            p = V.MultiplyAdd(p, u, V.Create(1.0052589676941572));
            p = V.MultiplyAdd(p, u, V.Create(3.0838856104922208));
            u = root - V.Create(5.0);
            var farthest = V.Create(-2.4269857602538364e-10);
            farthest = V.MultiplyAdd(farthest, u, V.Create(1.3941739295760297e-09));
            farthest = V.MultiplyAdd(farthest, u, V.Create(-3.839505119449656e-09));
            farthest = V.MultiplyAdd(farthest, u, V.Create(7.808201236352446e-09));
            farthest = V.MultiplyAdd(farthest, u, V.Create(-1.488186535944765e-08));
            farthest = V.MultiplyAdd(farthest, u, V.Create(2.8978615137749558e-08));
            farthest = V.MultiplyAdd(farthest, u, V.Create(-6.77743756239523e-08));
            farthest = V.MultiplyAdd(farthest, u, V.Create(2.2908682916491145e-07));
            farthest = V.MultiplyAdd(farthest, u, V.Create(-9.929560131606509e-07));
            farthest = V.MultiplyAdd(farthest, u, V.Create(4.526041233471142e-06));
            farthest = V.MultiplyAdd(farthest, u, V.Create(-1.9681783981418338e-05));
            farthest = V.MultiplyAdd(farthest, u, V.Create(7.599527972479666e-05));
            farthest = V.MultiplyAdd(farthest, u, V.Create(-0.00021503011873189392));
            farthest = V.MultiplyAdd(farthest, u, V.Create(-0.00013871931846298343));
            farthest = V.MultiplyAdd(farthest, u, V.Create(1.0103004648645186));
            farthest = V.MultiplyAdd(farthest, u, V.Create(4.849906401408585));
            return V.Select(V.GreaterOrEqual(root, V.Create(4.0)), farthest, p);
        }
    }
}
