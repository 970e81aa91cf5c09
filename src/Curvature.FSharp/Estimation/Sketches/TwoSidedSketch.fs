namespace Curvature.FSharp

open Curvature
open MathNet.Numerics.LinearAlgebra

/// An approximation of a symmetric operator from products that do not depend on each other.
module internal TwoSidedSketch =

    /// Singular values below this share of the largest are noise, and their inverses would be large.
    let private share (dtype: DType) = 4500.0 * SmallMatrices.epsilon dtype

    /// A ≈ ZMWᵀ, from Z = AR, W = AS and M = (SᵀZ)⁺.
    type Approximation = { Z: Panels; W: Panels; M: Matrix<float> }

    let approximate (s: Panels, w: Panels) (r: Panels, z: Panels) (operator: LinearOperator) =
        let products = Rows.productsOf s z
        // SᵀAR both ways: equal where A is symmetric.
        let difference = (products - Rows.productsOf w r).FrobeniusNorm()
        let size = products.FrobeniusNorm()

        if size > 0.0 then
            Requirements.smallAsymmetry "NA-Hutch++" operator size (difference / size)

        {
            Z = z
            W = w
            M = SmallMatrices.pseudoInverse (share operator.DType) products
        }

    /// gᵀAg − gᵀZMWᵀg, the part that the approximation misses, as a measurement with the trace of the approximation
    /// added.
    let missed (a: Approximation) known rounding : Measurement<Estimate<float>> =
        let correction (block: SampleBlock) =
            let z, w = Rows.productsWith a.Z block.Vectors, Rows.productsWith a.W block.Vectors
            SmallMatrices.columnDots z (a.M * w)

        KnownPart.scalar known rounding (fun block -> Array.map2 (-) block.Forms (correction block))
