namespace Curvature

open System.Collections.Generic
open System.Diagnostics
open Curvature.FSharp

/// How a block of a KroneckerOperator came about.
type KroneckerBlockKind =
    /// A ⊗ G, from the inputs of a layer and the gradients of its outputs.
    | Product = 0
    /// The eigenvectors of A ⊗ G with corrected eigenvalues.
    | Corrected = 1
    /// The whole block of the matrix that is approximated.
    | Exact = 2
    /// The diagonal of that block.
    | ExactDiagonal = 3
    /// Parameters on which the outputs do not depend: 0.
    | Unused = 4
    /// What the operator was put together from by other means, such as a function of another one.
    | Function = 5

/// What a block is called, and where it lies.
[<NoEquality; NoComparison>]
type internal BlockPlace = { Names: string list; Positions: int[] }

/// A diagonal block of a KroneckerOperator, which has its eigenvectors and eigenvalues. Its rows belong to positions in
/// the vector of parameters, in an order of its own: by inputs and outputs of a layer, the output running fastest, a
/// bias being the last input.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type KroneckerBlock
    internal
    (place: BlockPlace, kind: KroneckerBlockKind, spectrum: BlockSpectrum, dtype: DType, device: Kernels.Device) =

    let matmat = lazy (BlockSpectrum.multiply dtype device spectrum)
    let name = System.String.Join(", ", place.Names)

    let factors () =
        match BlockSpectrum.factors spectrum with
        | ValueSome factors -> factors
        | ValueNone -> Fail.operator $"block {name}: it is no Kronecker product of two factors"

    member internal _.Place = place
    member internal _.Spectrum = spectrum
    member internal _.Matmat(block: Tensor) = matmat.Value block

    member internal _.Map(kind, f: BlockSpectrum -> BlockSpectrum) =
        KroneckerBlock(place, kind, f spectrum, dtype, device)

    /// The same block in another element type, on another device.
    member internal _.On(dtype, device) = KroneckerBlock(place, kind, spectrum, dtype, device)

    /// The names of the tensors of parameters that it belongs to, such as `0.weight, 0.bias`.
    member _.Name = name

    /// The tensors of parameters that it belongs to.
    member _.Parameters: IReadOnlyList<string> = place.Names

    /// How it came about.
    member _.Kind = kind

    /// The position of each row in the vector of parameters.
    member _.Positions = Array.copy place.Positions

    /// The number of rows.
    member _.Size = place.Positions.Length

    /// The number of inputs of the layer, with a bias; 1 for a block that is no product.
    member _.Inputs = spectrum.Inputs

    /// The number of outputs of the layer; for a block that is no product, its size.
    member _.Outputs = spectrum.Outputs

    /// Whether it is A ⊗ G.
    member _.HasFactors = spectrum.Factors.IsSome

    /// A, Float64 [inputs; inputs]. Raises OperatorException for a block that is no product.
    member _.InputFactor: Tensor =
        let struct (a, _) = factors ()
        a

    /// G, Float64 [outputs; outputs]. Raises OperatorException for a block that is no product.
    member _.OutputFactor: Tensor =
        let struct (_, g) = factors ()
        g

    /// All eigenvalues, Float64 [size], ascending.
    member _.Eigenvalues: Tensor = spectrum.Values |> Array.sort |> Tensor.ofArray [ spectrum.Values.Length ]

    /// The sum of the eigenvalues.
    member _.Trace = Array.sum spectrum.Values

    /// The root of the sum of the squares of all entries.
    member _.FrobeniusNorm = Rounding.length spectrum.Values

    /// The block as an operator on vectors in the order of `Positions`, in the element type of the parameters.
    member _.Operator: LinearOperator =
        let least = if spectrum.Values.Length = 0 then 0.0 else Array.min spectrum.Values

        LinearOperator.Of
            { OperatorParts.define
                  name
                  dtype
                  place.Positions.Length
                  place.Positions.Length
                  (Products.ofMatmat matmat.Value) with
                Device = device
                Properties =
                    if least >= 0.0 then
                        OperatorProperties.PositiveSemidefinite
                    else
                        OperatorProperties.Symmetric
            }

    /// The matrix [size; size], Float64. Raises ArgumentRangeException where it is larger than
    /// `LinearOperator.denseLimit`.
    member _.ToMatrix() : Tensor =
        let ofBlock = KroneckerBlock(place, kind, spectrum, DType.Float64, Kernels.CpuDevice.Shared)
        LinearOperator.dense ofBlock.Operator

    override _.ToString() =
        let what =
            match kind with
            | KroneckerBlockKind.Product -> $"A [{spectrum.Inputs}] ⊗ G [{spectrum.Outputs}]"
            | KroneckerBlockKind.Corrected ->
                $"eigenvectors of A [{spectrum.Inputs}] ⊗ G [{spectrum.Outputs}], corrected"
            | KroneckerBlockKind.Exact -> $"exact [{place.Positions.Length}]"
            | KroneckerBlockKind.ExactDiagonal -> $"exact diagonal [{place.Positions.Length}]"
            | KroneckerBlockKind.Unused -> $"unused [{place.Positions.Length}]"
            | _ -> $"[{place.Positions.Length}]"

        $"{name}: {what}, trace {Numbers.show (Array.sum spectrum.Values)}"

    member internal this.Text = this.ToString()
