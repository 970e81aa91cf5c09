namespace Curvature.Kernels;

/// <summary>Checks of contractions.</summary>
internal static class ContractionCheck
{
    /// <summary>Throws where a description is not well formed.</summary>
    public static void Validate(ContractionDescription contraction)
    {
        ArgumentNullException.ThrowIfNull(contraction);
        ArgumentNullException.ThrowIfNull(contraction.Axes, nameof(ContractionDescription.Axes));
        Check.Floating(contraction.DType, nameof(contraction));
        Check.Place(contraction.A, nameof(ContractionDescription.A));
        Check.Place(contraction.B, nameof(ContractionDescription.B));
        Check.Place(contraction.C, nameof(ContractionDescription.C));
        if (contraction.Packed is { } packed)
        {
            Check.Defined(packed, nameof(ContractionDescription.Packed));
        }

        foreach (var axis in contraction.Axes)
        {
            if (axis.Size < 0)
            {
                throw new DescriptionException($"A contraction's axis has {axis.Size} elements.", nameof(contraction));
            }

            Check.Defined(axis.Role, nameof(contraction));
        }
    }
}
