namespace Curvature

open Curvature.Kernels

/// A scalar expression in the arguments and the result of an elementwise function. Derivatives are written down once in
/// this form; first derivatives, transposes and second-order terms of tensors come from it.
[<CustomEquality; NoComparison>]
type internal Scalar =
    | Number of float
    | Argument of int
    | Result
    | Apply of OpCode * Scalar list

    override this.Equals other =
        match other with
        | :? Scalar as that ->
            match this, that with
            | Number a, Number b -> a.Equals b
            | Argument i, Argument j -> i = j
            | Result, Result -> true
            | Apply(f, xs), Apply(g, ys) -> f = g && xs = ys
            | _ -> false
        | _ -> false

    override this.GetHashCode() =
        match this with
        | Number a -> hash a
        | Argument i -> i + 1
        | Result -> 17
        | Apply(f, xs) -> hash (int f, xs)

/// Arithmetic of scalar expressions, with the simplifications that derivatives need.
module internal ScalarArithmetic =

    let private negate a =
        match a with
        | Number p -> Number -p
        | Apply(OpCode.Negate, [ x ]) -> x
        | _ -> Apply(OpCode.Negate, [ a ])

    let private add a b =
        match a, b with
        | Number 0.0, x
        | x, Number 0.0 -> x
        | Number p, Number q -> Number(p + q)
        | _ -> Apply(OpCode.Add, [ a; b ])

    let private subtract a b =
        match a, b with
        | x, Number 0.0 -> x
        | Number 0.0, x -> negate x
        | Number p, Number q -> Number(p - q)
        | _ -> Apply(OpCode.Subtract, [ a; b ])

    let private multiply a b =
        match a, b with
        | Number 0.0, _
        | _, Number 0.0 -> Number 0.0
        | Number 1.0, x
        | x, Number 1.0 -> x
        | Number -1.0, x
        | x, Number -1.0 -> negate x
        | Number p, Number q -> Number(p * q)
        | _ -> Apply(OpCode.Multiply, [ a; b ])

    let private divide a b =
        match a, b with
        | Number 0.0, _ -> Number 0.0
        | x, Number 1.0 -> x
        | _ -> Apply(OpCode.Divide, [ a; b ])

    let (+) a b = add a b
    let (-) a b = subtract a b
    let (*) a b = multiply a b
    let (/) a b = divide a b
    let (~-) a = negate a

/// The derivatives of the elementwise functions, one line each. They stand nowhere else in the library.
module internal ScalarFunction =

    let private twoOverRootPi = Number(2.0 / sqrt System.Math.PI)
    let private halfRootPi = Number(sqrt System.Math.PI / 2.0)

    open ScalarArithmetic

    let private a = Argument 0
    let private b = Argument 1
    let private y = Result
    let private zero = Number 0.0
    let private one = Number 1.0
    let private select mask x y = Apply(OpCode.Select, [ mask; x; y ])
    let private greater x y = Apply(OpCode.Greater, [ x; y ])

    /// The number of arguments.
    let arity op =
        match op with
        | OpCode.Add
        | OpCode.Subtract
        | OpCode.Multiply
        | OpCode.Divide
        | OpCode.Maximum
        | OpCode.Minimum
        | OpCode.Greater
        | OpCode.GreaterOrEqual
        | OpCode.Equal
        | OpCode.Power
        | OpCode.Atan2 -> 2
        | OpCode.MultiplyAdd
        | OpCode.Select -> 3
        | _ -> 1

    /// The partial derivatives of the function, in its arguments a, b and its result y. Where the derivative does not
    /// exist, the conventions are: |·|′(0) = 0, sign′ = floor′ = 0, and of equal arguments of max and min each carries
    /// one half.
    let partials op =
        match op with
        | OpCode.Add -> [ one; one ]
        | OpCode.Subtract -> [ one; -one ]
        | OpCode.Multiply -> [ b; a ]
        | OpCode.Divide -> [ one / b; -(y / b) ]
        | OpCode.MultiplyAdd -> [ b; a; one ]
        | OpCode.Maximum ->
            let tie = Apply(OpCode.Equal, [ a; b ]) * Number 0.5
            [ greater a b + tie; greater b a + tie ]
        | OpCode.Minimum ->
            let tie = Apply(OpCode.Equal, [ a; b ]) * Number 0.5
            [ greater b a + tie; greater a b + tie ]
        | OpCode.Select -> [ zero; select a one zero; select a zero one ]
        | OpCode.Power ->
            // At a = 0 two derivatives are 0: that of a⁰ in a, since a⁰ is constant, and that of 0ᵇ in b, since 0ᵇ is 0
            // for all b > 0. The formulas give 0·0⁻¹ and 0·ln 0 there, which are NaN. So the power and the logarithm
            // are computed at another argument there. To select among their results is not enough: reverse mode
            // multiplies by the derivatives of what is not selected.
            let exponent = select a b (select b b one)
            [ b * Apply(OpCode.Power, [ a; exponent - one ]); y * Apply(OpCode.Log, [ select a a one ]) ]
        | OpCode.Atan2 ->
            // The angle has no derivative at the origin; it is 0 there, as the norm's is.
            let square = a * a + b * b
            let over numerator = select square (numerator / select square square one) zero
            [ over b; -(over a) ]
        | OpCode.Negate -> [ -one ]
        | OpCode.Abs -> [ Apply(OpCode.Sign, [ a ]) ]
        | OpCode.Sqrt -> [ Number 0.5 / y ]
        | OpCode.ReciprocalSqrt -> [ Number -0.5 * y / a ]
        | OpCode.Exp -> [ y ]
        | OpCode.Expm1 -> [ Apply(OpCode.Exp, [ a ]) ]
        | OpCode.Log -> [ one / a ]
        | OpCode.Log1p -> [ one / (one + a) ]
        | OpCode.Sin -> [ Apply(OpCode.Cos, [ a ]) ]
        | OpCode.Cos -> [ -Apply(OpCode.Sin, [ a ]) ]
        | OpCode.Tanh -> [ one - y * y ]
        | OpCode.Sigmoid -> [ y * (one - y) ]
        | OpCode.Softplus -> [ Apply(OpCode.Sigmoid, [ a ]) ]
        | OpCode.Erf -> [ twoOverRootPi * Apply(OpCode.Exp, [ -(a * a) ]) ]
        | OpCode.ErfInverse -> [ halfRootPi * Apply(OpCode.Exp, [ y * y ]) ]
        | OpCode.Greater
        | OpCode.GreaterOrEqual
        | OpCode.Equal -> [ zero; zero ]
        | OpCode.Sign
        | OpCode.Floor -> [ zero ]
        | _ -> Fail.differentiation $"the elementwise function {op} has no derivative"

    /// Puts expressions in the place of arguments and result.
    let rec private substitute (arguments: Scalar list) (result: Scalar) expression =
        match expression with
        | Number _ -> expression
        | Argument i -> arguments[i]
        | Result -> result
        | Apply(op, operands) -> apply op (operands |> List.map (substitute arguments result))

    /// Builds an application through the simplifying operators.
    and private apply op operands =
        match op, operands with
        | OpCode.Add, [ p; q ] -> p + q
        | OpCode.Subtract, [ p; q ] -> p - q
        | OpCode.Multiply, [ p; q ] -> p * q
        | OpCode.Divide, [ p; q ] -> p / q
        | OpCode.Negate, [ p ] -> -p
        | _ -> Apply(op, operands)

    /// The derivative of an expression with respect to argument i, given the derivative of the result.
    let rec private differentiate i resultDerivative expression =
        match expression with
        | Number _ -> zero
        | Argument j -> if i = j then one else zero
        | Result -> resultDerivative
        | Apply(OpCode.Select, [ mask; p; q ]) ->
            match differentiate i resultDerivative p, differentiate i resultDerivative q with
            | Number 0.0, Number 0.0 -> zero
            | dp, dq -> select mask dp dq
        | Apply(op, operands) ->
            List.zip (partials op) operands
            |> List.fold
                (fun sum (partial, operand) ->
                    match differentiate i resultDerivative operand with
                    | Number 0.0 -> sum
                    | inner -> sum + substitute operands expression partial * inner)
                zero

    /// The second partial derivatives ∂²f/∂aᵢ∂aⱼ, derived from the first.
    let secondPartials =
        let table = System.Collections.Concurrent.ConcurrentDictionary<OpCode, Scalar[,]>()

        let derive op =
            let first = partials op |> List.toArray
            Array2D.init first.Length first.Length (fun i j -> differentiate j first[j] first[i])

        fun op -> table.GetOrAdd(op, derive)

    /// Whether the function is linear in argument i with the others fixed, so that a cotangent can flow back through
    /// it.
    let isLinearIn op i =
        match op with
        | OpCode.Add
        | OpCode.Subtract
        | OpCode.Multiply
        | OpCode.Negate -> true
        | OpCode.Divide -> i = 0
        | OpCode.Select -> i > 0
        | OpCode.MultiplyAdd -> true
        | _ -> false
