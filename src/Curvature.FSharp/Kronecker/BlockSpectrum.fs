namespace Curvature.FSharp

open Curvature

/// A symmetric matrix QΛQᵀ whose eigenvectors are a Kronecker product, Q = U ⊗ V, with U [inputs; inputs] and V
/// [outputs; outputs]. Rows belong to pairs (input, output), the output running fastest. A missing basis is that of the
/// unit vectors.
[<NoEquality; NoComparison>]
type internal BlockSpectrum =
    {
        Inputs: int
        Outputs: int
        InputBasis: Tensor voption
        OutputBasis: Tensor voption
        /// λ, inputs × outputs, row-major.
        Values: float[]
        /// The eigenvalues of A and of G where Λ is their product.
        Factors: struct (float[] * float[]) voption
    }

module internal BlockSpectrum =

    /// Eigenvalues of a semidefinite matrix in Float64, which rounding makes negative where they are 0, and its
    /// eigenvectors in columns.
    let private decompose (matrix: Tensor) : struct (float[] * Tensor) =
        let values, vectors = Tensor.eigh matrix
        struct (values.ToArray() |> Array.map (max 0.0), vectors)

    let private products (alpha: float[]) (gamma: float[]) =
        [|
            for a in alpha do
                for g in gamma -> a * g
        |]

    let private ofParts inputBasis outputBasis (alpha: float[]) (gamma: float[]) : BlockSpectrum =
        {
            Inputs = alpha.Length
            Outputs = gamma.Length
            InputBasis = inputBasis
            OutputBasis = outputBasis
            Values = products alpha gamma
            Factors = ValueSome(struct (alpha, gamma))
        }

    /// A ⊗ G.
    let ofFactors (a: Tensor) (g: Tensor) : BlockSpectrum =
        let struct (alpha, u) = decompose a
        let struct (gamma, v) = decompose g
        ofParts (ValueSome u) (ValueSome v) alpha gamma

    /// diag(α) ⊗ G.
    let ofDiagonalInputs (alpha: float[]) (g: Tensor) : BlockSpectrum =
        let struct (gamma, v) = decompose g
        ofParts ValueNone (ValueSome v) alpha gamma

    /// A ⊗ I.
    let ofInputs (a: Tensor) (outputs: int) : BlockSpectrum =
        let struct (alpha, u) = decompose a
        ofParts (ValueSome u) ValueNone alpha (Array.create outputs 1.0)

    /// A semidefinite matrix.
    let ofMatrix (matrix: Tensor) : BlockSpectrum =
        let struct (values, v) = decompose matrix

        {
            Inputs = 1
            Outputs = values.Length
            InputBasis = ValueNone
            OutputBasis = ValueSome v
            Values = values
            Factors = ValueNone
        }

    /// diag(d).
    let ofDiagonal (values: float[]) : BlockSpectrum =
        {
            Inputs = 1
            Outputs = values.Length
            InputBasis = ValueNone
            OutputBasis = ValueNone
            Values = values
            Factors = ValueNone
        }

    /// The same eigenvectors with other eigenvalues.
    let withValues (values: float[]) (spectrum: BlockSpectrum) : BlockSpectrum =
        { spectrum with Values = values; Factors = ValueNone }

    /// The same eigenvectors with a function of the eigenvalues.
    let map (f: float -> float) (spectrum: BlockSpectrum) : BlockSpectrum =
        withValues (spectrum.Values |> Array.map f) spectrum

    /// (A + π√λ I) ⊗ (G + √λ/π I) with π² = (tr A / inputs)/(tr G / outputs) (Martens & Grosse 2015, section 6.3;
    /// eq. 9 of docs/kfac.md), which for a matrix that is no product, or where a factor vanishes, is the matrix + λI.
    let dampedHeuristically (lambda: float) (spectrum: BlockSpectrum) : BlockSpectrum =
        match spectrum.Factors with
        | ValueSome(struct (alpha, gamma)) when Array.sum alpha > 0.0 && Array.sum gamma > 0.0 ->
            let pi = sqrt (Array.average alpha / Array.average gamma)
            let ofInputs, ofOutputs = pi * sqrt lambda, sqrt lambda / pi
            let alpha, gamma = Array.map ((+) ofInputs) alpha, Array.map ((+) ofOutputs) gamma

            { spectrum with
                Values = products alpha gamma
                Factors = ValueSome(struct (alpha, gamma))
            }
        | _ -> map ((+) lambda) spectrum

    /// Products with the rows of blocks [k; inputs·outputs] in an element type and on a device.
    let multiply (dtype: DType) (device: Kernels.Device) (spectrum: BlockSpectrum) : Tensor -> Tensor =
        let on (t: Tensor) = t |> Tensor.convert dtype |> Tensor.toDevice device
        let lambda = Tensor.ofArray [ spectrum.Inputs; spectrum.Outputs ] spectrum.Values |> on

        let rotate formula (basis: Tensor voption) =
            match ValueOption.map on basis with
            | ValueSome u -> fun t -> Tensor.einsum formula t u
            | ValueNone -> id

        let intoInputs, fromInputs = rotate "kio,ij->kjo" spectrum.InputBasis, rotate "kjo,ij->kio" spectrum.InputBasis

        let intoOutputs, fromOutputs =
            rotate "kio,oq->kiq" spectrum.OutputBasis, rotate "kiq,oq->kio" spectrum.OutputBasis

        fun block ->
            let k = block.Signature.Shape[0]

            Tensor.reshape [ k; spectrum.Inputs; spectrum.Outputs ] block
            |> intoInputs
            |> intoOutputs
            |> fun t -> t * lambda
            |> fromOutputs
            |> fromInputs
            |> Tensor.reshape [ k; spectrum.Inputs * spectrum.Outputs ]

    /// U diag(α) Uᵀ for a basis U, or diag(α).
    let private matrixOf (basis: Tensor voption) (values: float[]) : Tensor =
        let diagonal = Tensor.ofArray [ values.Length ] values

        match basis with
        | ValueSome u -> Tensor.einsum "ij,kj->ik" (u * diagonal) u
        | ValueNone -> Tensor.diag diagonal

    /// A and G, where the matrix is their product.
    let factors (spectrum: BlockSpectrum) : struct (Tensor * Tensor) voption =
        spectrum.Factors
        |> ValueOption.map (fun struct (alpha, gamma) ->
            struct (matrixOf spectrum.InputBasis alpha, matrixOf spectrum.OutputBasis gamma))

    /// Σⱼ λⱼ Qᵢⱼ² for each row i.
    let diagonal (spectrum: BlockSpectrum) : float[] =
        let squares formula (basis: Tensor voption) (t: Tensor) =
            match basis with
            | ValueSome u -> Tensor.einsum formula t (Tensor.square u)
            | ValueNone -> t

        Tensor.ofArray [ spectrum.Inputs; spectrum.Outputs ] spectrum.Values
        |> squares "jo,ij->io" spectrum.InputBasis
        |> squares "iq,oq->io" spectrum.OutputBasis
        |> _.ToArray()
