namespace Curvature

open System
open System.Collections.Generic
open System.Diagnostics
open Curvature.FSharp

/// A block-diagonal symmetric matrix whose blocks are known by eigenvectors and eigenvalues, most of them as Kronecker
/// products of small matrices: K-FAC and EK-FAC approximations, their inverses, roots and the like. All functions of it
/// are closed forms. Immutable.
[<Sealed; NoEquality; NoComparison; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type KroneckerOperator
    internal (name: string, dtype: DType, device: Kernels.Device, blocks: KroneckerBlock[], warnings: string list) =

    let sizes = blocks |> Array.map _.Size
    let n = Array.sum sizes
    /// Element i of the vectors in the order of the blocks is element order[i] of those of parameters.
    let order = blocks |> Array.collect _.Place.Positions

    let index (positions: int[]) = Tensor.ofIndices [ positions.Length ] positions |> Tensor.toDevice device

    let inOrder = lazy (index order)

    let back =
        lazy
            (let places = Array.zeroCreate n
             order |> Array.iteri (fun i position -> places[position] <- i)
             index places)

    let multiply (v: Tensor) =
        Tensor.take 1 inOrder.Value v
        |> Tensor.split 1 (List.ofArray sizes)
        |> List.map2 (fun (block: KroneckerBlock) piece -> block.Matmat piece) (List.ofArray blocks)
        |> Tensor.concat 1
        |> Tensor.take 1 back.Value

    let values = lazy (blocks |> Array.collect _.Spectrum.Values)

    let operator =
        lazy
            (LinearOperator.Of
                { OperatorParts.define name dtype n n (Products.ofMatmat multiply) with
                    Device = device
                    Properties =
                        if values.Value |> Array.forall (fun value -> value >= 0.0) then
                            OperatorProperties.PositiveSemidefinite
                        else
                            OperatorProperties.Symmetric
                    Warnings = warnings
                })

    let map name (f: BlockSpectrum -> BlockSpectrum) =
        let blocks = blocks |> Array.map _.Map(KroneckerBlockKind.Function, f)
        KroneckerOperator(name, dtype, device, blocks, warnings)

    let checkDamping what (lambda: float) =
        if not (lambda >= 0.0 && Double.IsFinite lambda) then
            Fail.range $"{what}: damping is at least 0 and finite, and it is {lambda}"

    /// Raises OperatorException where an eigenvalue is not above 0.
    let requireDefinite what =
        let least = if values.Value.Length = 0 then 1.0 else Array.min values.Value

        if not (least > 0.0) then
            Fail.operator (
                $"{what}: a positive definite operator is needed, and the least eigenvalue of {name} is "
                + $"{Numbers.show least}; damp it first"
            )

    let requireSemidefinite what =
        let least = if values.Value.Length = 0 then 0.0 else Array.min values.Value

        if least < 0.0 then
            Fail.operator $"{what}: the least eigenvalue of {name} is {Numbers.show least}, which is below 0"

    let containing (parameter: string) =
        ArgumentNullException.ThrowIfNull(parameter, nameof parameter)

        match blocks |> Array.filter (fun block -> List.contains parameter block.Place.Names) with
        | [||] ->
            let known = blocks |> Seq.collect _.Place.Names |> Seq.distinct
            Fail.parameter $"""there is no block of a parameter "{parameter}"; there are: {String.Join(", ", known)}"""
        | found -> found

    /// The matrix with the same eigenvectors and a function of the eigenvalues.
    member internal _.Function(title: string, f: float -> float) : KroneckerOperator = map title (BlockSpectrum.map f)

    /// The eigenvalues, block by block.
    member internal _.Values: float[] = values.Value

    /// The same matrix in Float64 on the CPU.
    member internal _.Wide: KroneckerOperator =
        let cpu = Kernels.CpuDevice.Shared
        let wide = blocks |> Array.map _.On(DType.Float64, cpu)
        KroneckerOperator(name, DType.Float64, cpu, wide, warnings)

    /// The number of rows and columns, which is that of the parameters.
    member _.Size = n

    /// What it is called in messages and reports.
    member _.Name = name

    /// The element type of vectors and products.
    member _.DType = dtype

    /// The blocks on the diagonal. Each parameter belongs to one of them.
    member _.Blocks: IReadOnlyList<KroneckerBlock> = blocks

    /// The blocks that a tensor of parameters belongs to, of which a convolution in groups has several. Raises
    /// ParameterException for a name that there is not.
    member _.BlocksOf(parameter: string) : IReadOnlyList<KroneckerBlock> = containing parameter

    /// The block that a tensor of parameters belongs to, such as `0.weight`. Raises ParameterException for a name that
    /// there is not, and where several blocks belong to it.
    member _.Item
        with get (parameter: string): KroneckerBlock =
            match containing parameter with
            | [| block |] -> block
            | several -> Fail.parameter $"\"{parameter}\" belongs to {several.Length} blocks; see BlocksOf"

    member internal _.Device = device

    /// Why its numbers are doubtful, in sentences: parameters that enter a model in a way that is not known, weights
    /// that are used several times, or samples that are coupled.
    member _.Warnings: IReadOnlyList<string> = warnings

    /// The same matrix as a linear operator. A product costs about 2·(inputs + outputs) multiplications for each
    /// parameter of a layer.
    member _.Operator: LinearOperator = operator.Value

    /// K·v for one vector [n] or a block of them [k; n].
    member _.Apply(v: Tensor) : Tensor = operator.Value.Apply v

    /// The sum of the eigenvalues.
    member _.Trace: float = Array.sum values.Value

    /// The root of the sum of the squares of all entries.
    member _.FrobeniusNorm: float = Rounding.length values.Value

    /// All eigenvalues, Float64 [n], ascending.
    member _.Eigenvalues: Tensor = Array.sort values.Value |> Tensor.ofArray [ n ]

    /// The diagonal, Float64 [n].
    member _.Diagonal: Tensor =
        let result = Array.zeroCreate n

        for block in blocks do
            Array.iter2
                (fun position value -> result[position] <- value)
                block.Place.Positions
                (BlockSpectrum.diagonal block.Spectrum)

        Tensor.ofArray [ n ] result

    /// ln det K, the sum of the logarithms of the eigenvalues. Raises OperatorException where one is not above 0.
    member _.LogDeterminant: float =
        requireDefinite "LogDeterminant"
        values.Value |> Array.sumBy log

    /// K + λI. Raises ArgumentRangeException for a negative number.
    member _.Damped(lambda: float) : KroneckerOperator =
        checkDamping "Damped" lambda
        map $"({name} + {lambda} I)" (BlockSpectrum.map ((+) lambda))

    /// Each block A ⊗ G as (A + π√λ I) ⊗ (G + √λ/π I), with π² the ratio of the mean eigenvalues of A and G (Martens &
    /// Grosse 2015, section 6.3); blocks that are no product as K + λI. It is no less than K + λI. Raises
    /// ArgumentRangeException for a negative number.
    member _.DampedHeuristically(lambda: float) : KroneckerOperator =
        checkDamping "DampedHeuristically" lambda
        map $"({name} damped by {lambda})" (BlockSpectrum.dampedHeuristically lambda)

    /// K⁻¹. Raises OperatorException where an eigenvalue is not above 0.
    member _.Inverse() : KroneckerOperator =
        requireDefinite "Inverse"
        map $"inverse of {name}" (BlockSpectrum.map (fun value -> 1.0 / value))

    /// The symmetric root K^½. Raises OperatorException where an eigenvalue is below 0.
    member _.SquareRoot() : KroneckerOperator =
        requireSemidefinite "SquareRoot"
        map $"square root of {name}" (BlockSpectrum.map sqrt)

    /// K^−½, symmetric. Raises OperatorException where an eigenvalue is not above 0.
    member _.InverseSquareRoot() : KroneckerOperator =
        requireDefinite "InverseSquareRoot"
        map $"inverse square root of {name}" (BlockSpectrum.map (fun value -> 1.0 / sqrt value))

    /// Independent samples of the normal law with mean 0 and covariance (K + λI)⁻¹, [count; n], as (K + λI)^−½ z for
    /// standard normal z. Raises ArgumentRangeException for a negative λ or count, and OperatorException where K + λI
    /// is not positive definite.
    member this.Sample(lambda: float, key: Key, count: int) : Tensor =
        Count.between 0 Count.limit "Sample" count
        let root = this.Damped(lambda).InverseSquareRoot()
        root.Apply(Tensor.normal key dtype [ count; n ] |> Tensor.toDevice device)

    override _.ToString() =
        let rows = blocks |> Seq.map string
        let warnings = warnings |> Seq.map (fun warning -> $"warning: {warning}")
        let title = $"{name} [{n}; {n}] {dtype}"
        String.Join("\n", [ title; Describe.lines rows; yield! warnings ])

    member internal this.Text = this.ToString()
